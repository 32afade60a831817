// Keeps a page up to date, and says how old it is. Every page works without it, and does not refresh.
"use strict";

(() => {
  const body = document.body;
  const main = document.querySelector("main");
  const silentAfter = Number(body.dataset.silentSeconds) * 1000;
  const bar = document.getElementById("silent");
  if (!bar) return; // nobody has signed in

  const opened = performance.now();
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
    if (!age) return;
    // What follows nothing is as old as the page, and that is as it should be.
    const follows = followed().length > 0;
    const old = now - (follows ? fresh : opened);
    const words = follows && old < 2000 ? age.dataset.live
      : old < 60000 ? age.dataset.old.replace("{seconds}", String(Math.floor(old / 1000)))
      : age.dataset.minutes.replace("{minutes}", String(Math.floor(old / 60000)));
    if (age.textContent !== words) age.textContent = words;
    age.classList.toggle("old", follows && old >= 2000);
  }

  async function parsed(answer) {
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // Puts what is new of a page that was fetched into this one.
  function take(page) {
    const held = document.activeElement;
    let whole = true;
    for (const part of page.querySelectorAll("[data-live]")) {
      const here = document.getElementById(part.id);
      if (here && here.isEqualNode(part)) continue;
      if (here && here.contains(held)) whole = false; // in use: what it shows grows old meanwhile
      else if (here) here.replaceWith(part);
    }
    if (whole) main.dataset.marks = page.querySelector("main").dataset.marks;
    sound();
  }

  // A mismatch is on every page; where it is shown itself, the bar that leads there is not.
  const mismatch = document.getElementById("mismatch");
  function tell(mismatches) {
    mismatch.dataset.alarms = JSON.stringify(mismatches);
    const here = (one) => document.querySelector(`[data-alarm="${CSS.escape(one)}"]`);
    mismatch.hidden = mismatches.every(here);
    sound();
  }

  // It is heard as well as seen: once for each that is new on this screen.
  function sound() {
    const heardOf = JSON.parse(sessionStorage.getItem("alarms") || "[]");
    const there = [...document.querySelectorAll("[data-alarm]")].map((one) => one.dataset.alarm)
      .concat(JSON.parse(mismatch.dataset.alarms));
    const loud = there.filter((one) => !heardOf.includes(one));
    if (!loud.length) return;
    sessionStorage.setItem("alarms", JSON.stringify([...heardOf, ...loud].slice(-100)));
    const audio = new AudioContext();
    // Most browsers let a page be heard only after a press; what was to be heard follows then.
    for (const press of ["pointerdown", "keydown"])
      document.addEventListener(press, () => audio.state === "suspended" && audio.resume(), {once: true});
    const gain = audio.createGain();
    gain.gain.value = 0.3;
    gain.connect(audio.destination);
    for (const [start, pitch] of [[0, 880], [0.25, 660], [0.5, 880]]) {
      const tone = audio.createOscillator();
      tone.type = "square";
      tone.frequency.value = pitch;
      tone.connect(gain);
      tone.start(audio.currentTime + start);
      tone.stop(audio.currentTime + start + 0.2);
      if (start === 0.5) tone.onended = () => audio.close();
    }
  }

  // Scans are sent one after the other, and none is lost while the one before is on its way.
  const waiting = [];
  let sending = false;

  // A random UUID; crypto.randomUUID is there on secure pages only.
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  }

  async function send(form) {
    if (sending) return;
    sending = true;
    while (waiting.length) {
      const notice = document.getElementById("notice");
      try {
        const answer = await fetch(form.action, {method: "POST", body: waiting[0]});
        const page = await parsed(answer);
        const said = page.getElementById("notice");
        if (answer.ok && said) {
          notice.replaceWith(said);
          take(page);
          waiting.shift();
          continue;
        }
        if (answer.status !== 403) throw new Error("not counted");
        // The form is out of date, because the pages were started anew: it gets its new token.
        const token = (await parsed(await fetch(location.href))).querySelector(".scan [name=token]");
        if (!token) throw new Error("signed out");
        for (const one of waiting) one.set("token", token.value);
        form.elements.token.value = token.value;
      } catch {
        const codes = waiting.map((one) => one.get("code")).join(", ");
        notice.className = "alarm";
        notice.textContent = `${form.dataset.unsent} ${codes}`;
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
    sending = false;
  }

  // A page sends one form and then gives way to the next: a second press, by a finger that bounces or
  // a key that was meant for what follows, would be about what is on the screen still.
  let sent = -Infinity;
  addEventListener("pageshow", () => { sent = -Infinity; });
  document.addEventListener("submit", (event) => {
    if (event.target.querySelector("[data-scan]")) return; // which waits in turn, and stays
    const now = performance.now();
    if (now - sent < 10000) event.preventDefault(); // longer: it was broken off, by Escape
    else sent = now;
  }, true);

  // One key presses the button that names it. Who speaks to the machine, or often hits a wrong key,
  // switches that off (WCAG 2.1.4); it stays so in this browser.
  const letters = () => localStorage.getItem("letters") || "on";
  const choice = document.getElementById("letters");
  function showChoice() {
    choice.textContent = letters() === "on" ? choice.dataset.on : choice.dataset.off;
    body.classList.toggle("no-letters", letters() === "off");
  }
  choice.hidden = !document.querySelector("[data-key]");
  choice.addEventListener("click", () => {
    localStorage.setItem("letters", letters() === "on" ? "off" : "on");
    showChoice();
  });
  showChoice();

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (letters() === "off" || document.activeElement.matches("input, select, textarea")) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button) button.click();
  });

  const scan = document.querySelector("[data-scan]");
  if (scan) {
    scan.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const one = new URLSearchParams(new FormData(scan.form));
      one.set("scan", newId()); // by which it is counted once, however often it is sent
      waiting.push(one);
      scan.form.reset();
      scan.focus();
      send(scan.form);
    });
    document.addEventListener("keydown", (event) => {
      const typing = document.activeElement.matches("input, select, textarea");
      if (!typing && event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey)
        scan.focus();
    });
  }

  async function refresh() {
    if (asking || performance.now() - asked < 900) return;
    asking = true;
    asked = performance.now();
    try {
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
      if (answer.redirected && waiting.length) return; // what is not counted yet is not left behind
      if (answer.redirected) return location.assign(answer.url);
      if (!answer.ok) return;
      take(await parsed(answer));
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
    tell(told.mismatches);
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
  sound();
  setInterval(show, 100);
  open();
})();
