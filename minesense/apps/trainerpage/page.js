"use strict";

const config = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const canvas = byId("lane");
const pen = canvas.getContext("2d");
const sound = new Sound();
const RADIUS = 0.1; // m of the coil
const WINDOW = 0.05; // s over which speed is taken
const GAP = 0.3; // s
const LIFT = 56; // px by which the head is drawn ahead of a finger
const MOST = 99000; // poses of a lane

let step = config.step;
let ground = null; // what is known of the present lane
let run = null; // what is being done on it; null between lanes
let head = null; // {x, y} in the lane's axes, m; null while it is off the ground
let last = null; // where it was last
let hand = 0.05; // m, height of the hand without its wobble
let isSending = false;

const token = location.search;

async function ask(path, document) {
  const options = document === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(document),
  };
  const answer = await fetch(path + token, options);
  if (!answer.ok) {
    const words = await answer.json().catch(() => ({}));
    throw new Error(words.error || `answer ${answer.status}`);
  }
  return answer;
}

// ---- the statistic over the lane ----

function statisticAt(x, y, height) {
  const { step: d, aside, heights } = config.grid;
  const u = (x + ground.width / 2 + aside) / d;
  const v = (y + aside) / d;
  if (!(u >= 0 && v >= 0 && u <= ground.columns - 1 && v <= ground.rows - 1)) return NaN;
  const z = Math.min(Math.max(height, heights[0]), heights[heights.length - 1]);
  let k = 0;
  while (k < heights.length - 2 && heights[k + 1] <= z) k += 1;
  const i = Math.min(Math.floor(u), ground.columns - 2);
  const j = Math.min(Math.floor(v), ground.rows - 2);
  const [a, b, c] = [(z - heights[k]) / (heights[k + 1] - heights[k]), v - j, u - i];
  let total = 0;
  for (const p of [0, 1]) {
    for (const q of [0, 1]) {
      for (const r of [0, 1]) {
        const share = (p ? a : 1 - a) * (q ? b : 1 - b) * (r ? c : 1 - c);
        total += share * ground.folded[
          ((k + p) * ground.rows + j + q) * ground.columns + i + r];
      }
    }
  }
  return Math.sinh(total);
}

// The noise of the detector: its standard deviation is 1, the same for each run of a lane.
class Noise {
  constructor(seed) {
    this.state = seed >>> 0;
    this.value = 0;
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  next() {
    const size = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const fresh = size * Math.cos(2 * Math.PI * this.uniform());
    this.value = 0.9 * this.value + Math.sqrt(1 - 0.81) * fresh;
    return this.value;
  }
}

function wobble(seconds) { // m, of a hand that gets tired of no seed
  return 0.005 * Math.sin(2.5 * seconds) + 0.003 * Math.sin(6.9 * seconds + 1);
}

// ---- a pose: where the head is, what it says, what it covers ----

function speedNow() {
  const { poses } = run;
  const now = poses[poses.length - 1];
  let k = poses.length - 2;
  while (k > 0 && poses[k][0] > now[0] - WINDOW) k -= 1;
  if (k < 0) return 0;
  const passed = now[0] - poses[k][0];
  if (passed > GAP) return 0;
  return Math.hypot(now[1] - poses[k][1], now[2] - poses[k][2]) / passed;
}

function takePose() {
  if (!run || !head) return;
  const seconds = (performance.now() - run.begin) / 1000;
  const before = run.poses[run.poses.length - 1];
  if (before && seconds - before[0] < 0.012) return;
  if (run.poses.length >= MOST) {
    finishLane();
    return;
  }
  const height = Math.max(0.03, hand + wobble(seconds));
  const round = (value, digits) => Number(value.toFixed(digits));
  run.poses.push([round(seconds, 3), round(head.x, 4), round(head.y, 4), round(height, 4)]);
  const speed = speedNow();
  const isCredited = height <= config.limits.height && speed <= config.limits.speed;
  const statistic = statisticAt(head.x, head.y, height) + run.noise.next();
  const control = run.listening.hear(statistic, seconds, isCredited);
  sound.set(control, seconds);
  run.now = { height, speed, control };
  last = { ...head };
  if (isCredited) cover(before && seconds - before[0] <= GAP ? before : null);
}

function cover(before) {
  const now = run.poses[run.poses.length - 1];
  const length = before ? Math.hypot(now[1] - before[1], now[2] - before[2]) : 0;
  const n = Math.max(1, Math.ceil(length / 0.02));
  for (let k = 0; k < n; k += 1) {
    const share = before ? (k + 1) / n : 1;
    const x = before ? before[1] + share * (now[1] - before[1]) : now[1];
    const y = before ? before[2] + share * (now[2] - before[2]) : now[2];
    const columns = Math.round(ground.width / 0.05);
    const rows = Math.round(ground.length / 0.05);
    const [i0, j0] = [(x + ground.width / 2) / 0.05, y / 0.05];
    for (let j = Math.max(0, Math.floor(j0 - 2)); j <= Math.min(rows - 1, j0 + 2); j += 1) {
      for (let i = Math.max(0, Math.floor(i0 - 2)); i <= Math.min(columns - 1, i0 + 2); i += 1) {
        if (Math.hypot(i + 0.5 - i0, j + 0.5 - j0) <= RADIUS / 0.05) {
          run.covered[j * columns + i] = 1;
        }
      }
    }
  }
}

function mark() {
  if (!run || !last || run.marks.length >= 500) return;
  const seconds = (performance.now() - run.begin) / 1000;
  run.marks.push([seconds, last.x, last.y].map((value) => Number(value.toFixed(4))));
  if (navigator.vibrate) navigator.vibrate(20);
  show();
}

// ---- mouse, touch, pen, keys ----

function scaleOf() {
  const room = { x: canvas.clientWidth, y: canvas.clientHeight };
  const g = ground || config.grounds[Math.min(step, config.grounds.length - 1)];
  const aside = config.grid.aside;
  const s = Math.min(room.x / (g.width + 2 * aside), room.y / (g.length + 2 * aside));
  return {
    s,
    toPage: (x, y) => [room.x / 2 + s * x, room.y / 2 - s * (y - g.length / 2)],
    toLane: (px, py) => [(px - room.x / 2) / s, g.length / 2 - (py - room.y / 2) / s],
  };
}

function point(event) {
  const box = canvas.getBoundingClientRect();
  const ahead = event.pointerType === "touch" ? LIFT : 0;
  const [x, y] = scaleOf().toLane(event.clientX - box.left, event.clientY - box.top - ahead);
  const near = config.grid.aside + 0.9;
  if (!run || Math.abs(x) > run.ground.width / 2 + near || y < -near ||
      y > run.ground.length + near) {
    head = null;
    return;
  }
  head = { x, y };
  if (event.pointerType === "pen" && event.pressure > 0) {
    setHand(Math.min(0.2, Math.max(0.03, 0.11 - 0.12 * event.pressure)));
  }
  takePose();
}

function setHand(height) {
  hand = Math.min(0.3, Math.max(0.03, height));
  byId("hand").value = Math.round(1000 * hand);
}

canvas.addEventListener("pointerdown", (event) => {
  if (!run) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  if (event.pointerType === "mouse") {
    point(event);
    if (event.button === 0) mark();
    return;
  }
  canvas.setPointerCapture(event.pointerId);
  point(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse" && event.buttons === 0) return;
  point(event);
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    if (event.pointerType !== "mouse") head = null;
  });
}
canvas.addEventListener("pointerleave", () => { head = null; });
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  if (!run) return;
  event.preventDefault();
  setHand(hand + (event.deltaY < 0 ? 0.005 : -0.005));
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  if (!run) return;
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const move = moves[event.key];
  if (event.key === " " || event.key === "m" || event.key === "M") {
    mark();
  } else if (move) {
    const from = head || last || { x: 0, y: 0 };
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    head = {
      x: within(from.x + 0.02 * move[0], -run.ground.width / 2 - 0.2, run.ground.width / 2 + 0.2),
      y: within(from.y + 0.02 * move[1], -0.2, run.ground.length + 0.2),
    };
    takePose();
  } else {
    return;
  }
  event.preventDefault();
});
byId("hand").addEventListener("input", (event) => setHand(event.target.value / 1000));
byId("volume").addEventListener("input", (event) => sound.setVolume(event.target.value / 100));
byId("mark").addEventListener("click", mark);
byId("undo").addEventListener("click", () => {
  if (run) run.marks.pop();
  show();
});
byId("done").addEventListener("click", finishLane);

// ---- what is drawn ----

function drawGround(g) {
  const { s, toPage } = scaleOf();
  const [left, top] = toPage(-g.width / 2, g.length);
  pen.fillStyle = "#efe9da";
  pen.fillRect(left, top, s * g.width, s * g.length);
  if (run && g.kind !== "blind") {
    pen.fillStyle = "#9fb4c966";
    const columns = Math.round(g.width / 0.05);
    run.covered.forEach((seen, k) => {
      if (!seen) return;
      const [x, y] = toPage(
        -g.width / 2 + 0.05 * (k % columns), 0.05 * (Math.floor(k / columns) + 1));
      const [left, top] = [Math.floor(x), Math.floor(y)];
      pen.fillRect(left, top, Math.floor(x + 0.05 * s) - left, Math.floor(y + 0.05 * s) - top);
    });
  }
  pen.strokeStyle = "#b3261e";
  pen.lineWidth = 2;
  pen.strokeRect(left, top, s * g.width, s * g.length);
  pen.fillStyle = "#444";
  pen.font = "12px system-ui, sans-serif";
  for (let y = 0; y <= g.length + 1e-6; y += 0.5) {
    const [x, at] = toPage(-g.width / 2, y);
    pen.fillRect(x - 6, at - 0.5, 6, 1);
    pen.fillText(`${y.toFixed(1)} m`, x - 44, at + 4);
  }
  for (const target of g.targets || []) {
    const [x, y] = toPage(target.right, target.forward);
    pen.setLineDash([5, 4]);
    pen.strokeStyle = "#333";
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, Math.max(6, (target.diameter / 2) * s), 0, 2 * Math.PI);
    pen.stroke();
    pen.setLineDash([]);
  }
}

function drawHead(s, x, y) {
  pen.lineWidth = 4;
  const { control, height, speed } = run.now || {};
  const isGood = height <= config.limits.height && speed <= config.limits.speed;
  pen.strokeStyle = !control ? "#555" : isGood ? "#1f5fa8" : "#c75b00";
  pen.fillStyle = "#ffffff55";
  pen.beginPath();
  pen.arc(x, y, RADIUS * s, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x - 6, y);
  pen.lineTo(x + 6, y);
  pen.moveTo(x, y - (config.head === "double-d" ? RADIUS * s : 6));
  pen.lineTo(x, y + (config.head === "double-d" ? RADIUS * s : 6));
  pen.stroke();
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const size = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const g = config.grounds[Math.min(step, config.grounds.length - 1)];
  drawGround(g);
  if (!run) return;
  const { s, toPage } = scaleOf();
  run.marks.forEach(([, mx, my], k) => {
    const [x, y] = toPage(mx, my);
    pen.fillStyle = "#8c1d18";
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x - 7, y - 18);
    pen.lineTo(x + 7, y - 18);
    pen.fill();
    pen.fillText(String(k + 1), x + 9, y - 8);
  });
  if (head) drawHead(s, ...toPage(head.x, head.y));
}

function light(id, isGood) {
  byId(id).classList.toggle("good", isGood === true);
  byId(id).classList.toggle("bad", isGood === false);
}

function show() {
  const now = run && head ? run.now : null;
  byId("height").textContent = now ? `${(100 * now.height).toFixed(1)} cm` : "–";
  byId("speed").textContent = now ? `${now.speed.toFixed(2)} m/s` : "–";
  light("height-light", now ? now.height <= config.limits.height : null);
  light("speed-light", now ? now.speed <= config.limits.speed : null);
  const seconds = run ? Math.floor((performance.now() - run.begin) / 1000) : 0;
  byId("clock").textContent =
    `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  byId("count").textContent = String(run ? run.marks.length : 0);
  byId("mark").disabled = !run || !last;
  byId("undo").disabled = !run || !run.marks.length;
  byId("done").disabled = !run || isSending;
  const isOpen = Boolean(run) && run.ground.kind !== "blind";
  byId("signal-box").hidden = !isOpen;
  if (isOpen) {
    const level = now && now.control.state !== "fault" ? now.control.loudness : 0;
    byId("signal").style.width = `${Math.round(100 * level)}%`;
    const share = run.covered.reduce((a, b) => a + b, 0) / run.covered.length;
    byId("observed").textContent = `${Math.round(100 * share)} % observed within the limits`;
  }
}

function tick() {
  if (run) {
    if (head) {
      takePose();
    } else if (run) { // off the ground: there is no statistic, which is heard
      const seconds = (performance.now() - run.begin) / 1000;
      sound.set(controlOf(config.voice, NaN), seconds, 0.3);
    }
    show();
  }
  draw();
  requestAnimationFrame(tick);
}

// ---- the course ----

function say(words) { byId("said").textContent = words; }

function card(title, lines, buttons, field) {
  const sheet = byId("sheet");
  sheet.replaceChildren(el("h2", title), ...lines.map((line) => el("p", line)));
  if (field) sheet.append(field);
  const row = el("p");
  for (const [words, action, isMain] of buttons) {
    const button = el("button", words, isMain ? "main" : "");
    button.addEventListener("click", action);
    row.append(button, " ");
  }
  sheet.append(row);
  byId("card").hidden = false;
  const first = field ? field.querySelector("input") : row.querySelector("button.main");
  if (first) first.focus({ preventScroll: true });
}

function steps() {
  byId("steps").replaceChildren(...config.grounds.map((g, k) =>
    el("li", g.name, k < step ? "done" : k === step ? "now" : "")));
}

const INSTRUCTIONS = {
  check: ["Sweep the pad and mark the test piece: its place is drawn.",
    "If it is not found, at the start or at the end, the run is worth nothing."],
  open: ["An open lane: targets are drawn, and so is the ground that you have swept within the " +
    "limits. Keep the head low, level and slow, let strokes overlap, and listen.",
    "Mark the middle of each target."],
  blind: ["A blind lane: nothing is drawn but the head and your marks.",
    "Mark every indication that you would have looked at. What lies in it is sealed until " +
    "the last lane is done."],
};

function welcome() {
  const field = el("label", "Pseudonym, if the sheet shall carry one ");
  const input = el("input");
  input.type = "text";
  input.maxLength = 60;
  input.id = "learner";
  field.append(input);
  const start = async () => {
    sound.start();
    try {
      await ask("/start", { learner: input.value });
      prepare();
    } catch (error) {
      say(error.message);
    }
  };
  card("Before you begin", [
    "You hear a hum while the detector works. Metal raises its pitch and loudness" +
      (config.head === "double-d" ? "; the tone is low left of the metal's middle, high right " +
        "of it." : ", most above its middle."),
    "A flutter says: too high or too fast to count. A trill: too strong to measure. A harsh " +
      "two-tone: no reading at all.",
    `The truth of the blind lanes has this SHA-256: ${config.seal}`,
  ], [["Hear the tones", demonstrate, false], ["Begin", start, true]], field);
}

async function demonstrate() {
  sound.start();
  const begin = performance.now();
  const values = [[0, 1.2], [8, 0.7], [60, 0.7], [600, 0.7], [1e6, 0.8], [NaN, 1]];
  for (const [value, length] of values) {
    const until = performance.now() + 1000 * length;
    while (performance.now() < until) {
      const seconds = (performance.now() - begin) / 1000;
      sound.set(controlOf(config.voice, value), seconds);
      await new Promise((resolve) => { setTimeout(resolve, 15); });
    }
  }
  sound.quiet();
}

function prepare() {
  steps();
  say("");
  if (step >= config.grounds.length) {
    showResult();
    return;
  }
  const g = config.grounds[step];
  const end = async () => {
    await ask("/finish", {});
    step = config.grounds.length;
    prepare();
  };
  const buttons = [["Begin", begin, true]];
  if (step) buttons.unshift(["End the course here", end, false]);
  card(`${step + 1} of ${config.grounds.length}: ${g.name}`, INSTRUCTIONS[g.kind], buttons);
}

async function begin() {
  sound.start();
  const g = config.grounds[step];
  try {
    const answer = await ask(`/ground/${step}`);
    const { step: d, aside } = config.grid;
    ground = {
      ...g,
      columns: Math.round((g.width + 2 * aside) / d) + 1,
      rows: Math.round((g.length + 2 * aside) / d) + 1,
      folded: new Float32Array(await answer.arrayBuffer()),
    };
  } catch (error) {
    say(error.message);
    return;
  }
  head = null;
  last = null;
  run = {
    ground: g,
    begin: performance.now(),
    poses: [],
    marks: [],
    covered: new Uint8Array(Math.round(g.width / 0.05) * Math.round(g.length / 0.05)),
    noise: new Noise(1000 + step),
    listening: new Listening(config.voice),
    now: null,
  };
  byId("card").hidden = true;
  canvas.focus({ preventScroll: true });
}

async function finishLane() {
  if (!run || isSending) return;
  isSending = true;
  const { poses, marks } = run;
  sound.quiet();
  try {
    const answer = await (await ask(`/ground/${step}`, { poses, marks })).json();
    run = null;
    head = null;
    step = answer.step;
    steps();
    feedback(answer.feedback);
  } catch (error) {
    say(`Not sent: ${error.message} Try “Done here” again.`);
  } finally {
    isSending = false;
    show();
  }
}

function feedback(found) {
  const lines = [];
  if (!found) lines.push("Kept. What lies in this lane stays sealed until the last is done.");
  for (const check of (found || {}).checks || []) {
    lines.push(check.passed ? "The test piece was found." : `The check FAILED: ${check.reason}.`);
  }
  for (const lane of (found || {}).lanes || []) {
    lines.push(`${percent(lane.observed_share)} of the lane observed within the limits.`,
      `Within the limit of height ${percent(lane.height_within)} of the time, of speed ` +
      `${percent(lane.speed_within)}; of overlap ${percent(lane.overlap_within)} of the strokes.`);
  }
  for (const lane of (found || {}).open || []) {
    if (!lane.is_scored) lines.push(`Not scored: ${lane.reason}.`);
    else {
      const own = lane.learner;
      lines.push(`${own.pd_total.k} of ${own.pd_total.n} targets marked, ` +
        `${own.missed_though_swept} missed though swept, ${own.not_swept} not swept, ` +
        `${own.false_alarms.count} false marks.`);
    }
  }
  card("Done", lines, [["Go on", prepare, true]]);
}

async function showResult() {
  byId("card").hidden = true;
  byId("work").hidden = true;
  const box = byId("result");
  box.hidden = false;
  try {
    const result = await (await ask("/result")).json();
    const links = el("p", "", "links");
    for (const [path, words] of [["/sheet.html", "Instructor's sheet"],
      ["/run.json", "Run, to score it again"]]) {
      const link = el("a", words);
      link.href = path + token;
      link.target = "_blank";
      links.append(link);
    }
    box.append(links);
    renderResult(box, result, config.seal);
  } catch (error) {
    box.append(el("p", error.message, "note"));
  }
}

byId("banner").textContent = config.banner;
window.trainer = { sound, statisticAt, scaleOf, state: () => ({ step, run, head, ground, hand }) };
steps();
if (step === 0) welcome();
else prepare();
requestAnimationFrame(tick);
