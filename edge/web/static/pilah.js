// Keeps a page up to date, and says how old it is. Every page works without it, and does not refresh.
"use strict";

(() => {
  const body = document.body;
  const main = document.querySelector("main");
  const silentAfter = Number(body.dataset.silentSeconds) * 1000;
  const bar = document.getElementById("silent");
  if (!bar) return; // nobody has signed in

  let stream = null;
  let arrived = performance.now(); // when the pages were heard last
  // When the station gave its last sign of life, and when what is shown was known to be true.
  let heard = body.dataset.age === "" ? -Infinity : arrived - Number(body.dataset.age) * 1000;
  let fresh = arrived;
  let silent = false; // as the pages said last
  let asking = false;
  let asked = -Infinity;

  const marks = () => JSON.parse(main.dataset.marks);
  const followed = () => main.dataset.follow.split(" ").filter(Boolean);

  function show() {
    const now = performance.now();
    const lost = now - arrived > silentAfter;
    const mute = lost || silent || now - heard > silentAfter;
    document.getElementById("silent-page").hidden = !lost;
    document.getElementById("silent-station").hidden = lost;
    if (mute && bar.hidden) {
      for (const place of bar.querySelectorAll("[data-since]"))
        place.textContent = new Date().toLocaleTimeString(document.documentElement.lang);
    }
    if (bar.hidden === mute) bar.hidden = !mute;
    const age = document.getElementById("age");
    if (!age || !followed().length) return;
    const old = now - fresh;
    const words = old < 2000 ? age.dataset.live
      : age.dataset.old.replace("{seconds}", String(Math.floor(old / 1000)));
    if (age.textContent !== words) age.textContent = words;
    age.classList.toggle("old", old >= 2000);
  }

  async function refresh() {
    if (asking || performance.now() - asked < 900) return;
    asking = true;
    asked = performance.now();
    try {
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
      if (answer.redirected) return location.assign(answer.url);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const held = document.activeElement;
      let whole = true;
      for (const part of page.querySelectorAll("[data-live]")) {
        const here = document.getElementById(part.id);
        if (here && here.isEqualNode(part)) continue;
        if (here && here.contains(held)) whole = false; // in use: what it shows grows old meanwhile
        else if (here) here.replaceWith(part);
      }
      if (whole) main.dataset.marks = page.querySelector("main").dataset.marks;
      document.dispatchEvent(new Event("refreshed"));
    } catch {
      // No connection: the bar says so, and the next event asks again.
    } finally {
      asking = false;
    }
  }

  function hear(event) {
    const told = JSON.parse(event.data);
    arrived = performance.now();
    heard = told.age === null ? -Infinity : arrived - told.age * 1000;
    silent = told.silent;
    const known = marks();
    if (followed().every((kind) => known[kind] === told.marks[kind]))
      fresh = told.age === null ? fresh : Math.max(fresh, heard);
    else refresh();
    show();
  }

  function open() {
    if (stream) stream.close();
    arrived = performance.now();
    stream = new EventSource("/events");
    stream.onmessage = hear;
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      refresh(); // leads to the sign-in where the session is over
      setTimeout(open, 2000 + Math.random() * 2000);
    };
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stream.close();
    else open();
  });
  setInterval(show, 100);
  open();
})();
