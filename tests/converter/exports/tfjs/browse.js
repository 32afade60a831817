// Opens the page in Chromium, acts like a user, and prints what the page shows, as JSON.
//
//   node browse.js PLAYWRIGHT_FOLDER CHROMIUM PLAN
//
// PLAN is JSON: `url`; `width`, `height` of the window; `camera` (a Y4M or MJPEG file, "refused" or
// absent), `file` to choose, `withoutWebgl`, `insecure` (as if the page came over plain http from
// elsewhere), `screenshot` (a path), `details` (opened for it), `dark`.
"use strict";

const path = require("path");
const [folder, executablePath, planText] = process.argv.slice(2);
const { chromium } = require(path.join(folder, "node_modules", "playwright-core"));
const plan = JSON.parse(planText);

async function browse() {
  const args = ["--no-sandbox"];
  if (plan.camera && plan.camera !== "refused") {
    args.push("--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${plan.camera}`);
  } else if (plan.camera === "refused") {
    args.push("--use-fake-device-for-media-stream");
  }
  const browser = await chromium.launch({ executablePath, args });
  const context = await browser.newContext({
    viewport: { width: plan.width || 1000, height: plan.height || 800 },
    colorScheme: plan.dark ? "dark" : "light",
    permissions: plan.camera && plan.camera !== "refused" ? ["camera"] : [],
  });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => {
    const driver = message.text().includes("GL Driver Message"); // how fast, not how right
    if (["error", "warning"].includes(message.type()) && !driver) {
      seen.complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  if (plan.insecure) {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, "mediaDevices", { value: undefined });
    });
  }
  if (plan.withoutWebgl) {
    await page.addInitScript(() => {
      for (const canvas of [HTMLCanvasElement, OffscreenCanvas]) {
        const real = canvas.prototype.getContext;
        canvas.prototype.getContext = function (kind, ...more) {
          return kind.includes("webgl") ? null : real.call(this, kind, ...more);
        };
      }
    });
  }
  await page.goto(plan.url);
  const message = page.locator("#message:not([hidden])");
  const verdict = page.locator("#verdict:not([hidden])");
  if (!plan.url.startsWith("file:")) {
    const ready = page.locator("#camera:not([disabled])");
    await ready.or(message).first().waitFor({ timeout: 120000 });
    if (plan.camera || plan.insecure) {
      await page.click("#camera");
      await verdict.or(message).first().waitFor({ timeout: 60000 });
    }
    if (plan.file) {
      await page.setInputFiles("#file", plan.file);
      await verdict.or(message).first().waitFor({ timeout: 60000 });
      await page.waitForFunction(
        (name) => document.getElementById("status").textContent === name ||
          !document.getElementById("message").hidden,
        path.basename(plan.file)
      );
    }
  }
  Object.assign(seen, await page.evaluate(() => {
    const text = (id) => {
      const found = document.getElementById(id);
      return found.hidden || found.closest("[hidden]") ? "" : found.textContent.trim();
    };
    const canvas = document.getElementById("seen");
    const pixels = canvas.closest("[hidden]")
      ? []
      : Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data);
    return {
      title: document.title,
      label: text("verdict-label"),
      reason: text("verdict-reason"),
      reject: document.getElementById("verdict").dataset.reject || "",
      message: text("message"),
      filePage: text("file-page"),
      facts: text("facts"),
      scores: Array.from(document.querySelectorAll("#scores li"), (row) => row.textContent),
      pixels,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    };
  }));
  if (plan.screenshot) {
    if (plan.details && (await page.isVisible("summary"))) await page.click("summary");
    await page.screenshot({ path: plan.screenshot, fullPage: true });
  }
  await browser.close();
  process.stdout.write(JSON.stringify(seen));
}

browse().catch((error) => {
  process.stderr.write(`${error.stack || error}\n`);
  process.exit(1);
});
