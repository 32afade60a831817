// Shows what the camera sees, some times a second while the page is looked at, and how old it is.
"use strict";

(() => {
  const box = document.querySelector("[data-picture]");
  if (!box) return;
  const drawing = box.querySelector("svg");
  const image = drawing.querySelector("image");
  const items = drawing.querySelector(".things");
  const region = drawing.querySelector(".region");
  const words = box.querySelector(".picture-age");
  const SPACE = "http://www.w3.org/2000/svg";
  let taken = null; // when what is shown was taken, on this page's clock

  function place(rectangle, [left, top, width, height]) {
    for (const [name, value] of Object.entries({x: left, y: top, width, height}))
      rectangle.setAttribute(name, value);
  }

  function draw(found) {
    drawing.removeAttribute("hidden"); // there is nothing to see before
    if (drawing.dataset.size !== `${found.width} ${found.height}`) {
      drawing.dataset.size = `${found.width} ${found.height}`;
      drawing.setAttribute("viewBox", `0 0 ${found.width} ${found.height}`);
      image.setAttribute("width", found.width);
      image.setAttribute("height", found.height);
      drawing.dispatchEvent(new Event("sized"));
    }
    image.setAttribute("href", `data:image/jpeg;base64,${found.jpeg}`);
    for (const line of region.children)
      if (found.region) place(line, found.region);
    region.toggleAttribute("hidden", !found.region);
    items.replaceChildren(...found.boxes.flatMap((one) => ["halo", "line"].map((kind) => {
      const rectangle = document.createElementNS(SPACE, "rect");
      rectangle.setAttribute("class", kind);
      place(rectangle, one);
      return rectangle;
    })));
  }

  function show() {
    const age = taken === null ? null : Math.max(0, performance.now() - taken) / 1000;
    const old = age === null || age >= 2;
    const said = age === null ? box.dataset.none
      : (old ? box.dataset.old : box.dataset.age).replace("{seconds}", age.toFixed(1));
    if (words.textContent !== said) words.textContent = said;
    words.classList.toggle("old", old);
    box.classList.toggle("stale", old);
  }

  async function look() {
    try {
      if (!document.hidden) {
        const asked = performance.now();
        const answer = await fetch(box.dataset.picture);
        if (answer.status === 401) return location.reload(); // to the sign-in
        const found = answer.ok ? await answer.json() : {};
        if (found.jpeg) {
          // The longest that it can be old: as if the answer had been made when it was asked for.
          taken = asked - found.age_seconds * 1000;
          draw(found);
        }
      }
    } catch {
      // No connection: the picture grows old, and says so.
    }
    setTimeout(look, 350);
  }

  setInterval(show, 200);
  look();
})();
