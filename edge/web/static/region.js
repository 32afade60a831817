// A region is drawn on the live picture: pulled by pointer or finger, or moved by keys. The four fields
// of the form hold it; without this script they are written by hand.
"use strict";

(() => {
  const form = document.getElementById("region");
  const place = document.getElementById("draw");
  if (!form || !place) return;
  const drawing = place.querySelector("svg");
  const [left, top, width, height] = ["left", "top", "width", "height"].map((name) => form.elements[name]);
  const smallest = Number(form.dataset.smallest);
  const corner = drawing.querySelector(".corner");
  const words = document.getElementById("place");
  const hit = drawing.querySelector(".hit");

  const limits = () => [drawing.viewBox.baseVal.width, drawing.viewBox.baseVal.height];
  const now = () => [left, top, width, height].map((field) => Number(field.value) || 0);
  const within = (value, least, most) => Math.min(Math.max(Math.round(value), least), Math.max(least, most));

  function set(x, y, wide, high) {
    const [most, tall] = limits();
    width.value = within(wide, smallest, most);
    height.value = within(high, smallest, tall);
    left.value = within(x, 0, most - Number(width.value));
    top.value = within(y, 0, tall - Number(height.value));
    draw();
    say();
  }

  // Half of a corner's side in the picture's pixels, so that it has 20 mm; see pilah.css.
  const half = () => (matchMedia("(pointer: coarse)").matches ? 63 : 38) / (drawing.getScreenCTM()?.a || 1);

  function draw() {
    const [x, y, wide, high] = now();
    for (const one of drawing.querySelectorAll(".drawn rect:not(.corner)"))
      for (const [name, value] of Object.entries({x, y, width: wide, height: high}))
        one.setAttribute(name, value);
    const reach = half();
    for (const [name, value] of Object.entries(
      {x: x + wide - reach, y: y + high - reach, width: 2 * reach, height: 2 * reach}))
      corner.setAttribute(name, value);
  }

  // What the keys or the hand made of it is said once they rest.
  let saying = null;
  function say() {
    clearTimeout(saying);
    saying = setTimeout(() => {
      const [x, y, wide, high] = now();
      const values = {left: x, top: y, width: wide, height: high};
      words.textContent = words.dataset.words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    }, 300);
  }

  function point(event) {
    const where = new DOMPoint(event.clientX, event.clientY);
    return where.matrixTransform(drawing.getScreenCTM().inverse());
  }

  for (const handle of [hit, corner]) {
    handle.addEventListener("pointerdown", (event) => {
      const begin = point(event);
      const [x, y, wide, high] = now();
      handle.setPointerCapture(event.pointerId);
      place.focus({preventScroll: true});
      event.preventDefault();
      const pull = (moved) => {
        const {x: across, y: down} = point(moved);
        if (handle === hit) set(x + across - begin.x, y + down - begin.y, wide, high);
        else resize(x, y, wide + across - begin.x, high + down - begin.y);
      };
      handle.addEventListener("pointermove", pull);
      for (const over of ["pointerup", "pointercancel"])
        handle.addEventListener(over, () => handle.removeEventListener("pointermove", pull), {once: true});
    });
  }

  // The corner stops at the picture's edge, and does not push the frame to the other side.
  function resize(x, y, wide, high) {
    const [most, tall] = limits();
    set(x, y, Math.min(wide, most - x), Math.min(high, tall - y));
  }

  place.addEventListener("keydown", (event) => {
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (!way || event.altKey || event.metaKey) return;
    event.preventDefault();
    const step = event.ctrlKey ? 1 : 8;
    const [x, y, wide, high] = now();
    if (event.shiftKey) resize(x, y, wide + step * way[0], high + step * way[1]);
    else set(x + step * way[0], y + step * way[1], wide, high);
  });

  for (const field of [left, top, width, height]) field.addEventListener("input", draw);
  addEventListener("resize", draw);
  drawing.addEventListener("sized", draw);
  draw();
})();
