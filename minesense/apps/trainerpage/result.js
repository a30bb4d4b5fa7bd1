"use strict";

// Everything from outside enters as text, never as HTML.
function el(name, words = "", kind = "") {
  const element = document.createElement(name);
  element.textContent = words;
  if (kind) element.className = kind;
  return element;
}

const DASH = "–";
function percent(share) {
  if (share === null || share === undefined) return DASH;
  // what is not all never reads as all, what is not nothing not as nothing
  if (share > 0 && share < 0.005) return "< 1 %";
  if (share < 1 && share >= 0.995) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}
const fixed = (value, digits = 2) => (value === null || value === undefined
  ? DASH : value.toFixed(digits));

function table(caption, head, rows, own = -1) {
  const box = el("div", "", "scroll");
  const sheet = el("table");
  sheet.append(el("caption", caption));
  const top = el("thead");
  const line = el("tr");
  for (const word of head) {
    const cell = el("th", word);
    cell.scope = "col";
    line.append(cell);
  }
  top.append(line);
  const body = el("tbody");
  rows.forEach((row, k) => {
    const tr = el("tr", "", k === own ? "own" : "");
    row.forEach((value, i) => {
      const cell = el(i ? "td" : "th", String(value));
      if (!i) cell.scope = "row";
      tr.append(cell);
    });
    body.append(tr);
  });
  sheet.append(top, body);
  box.append(sheet);
  return box;
}

const OUTCOMES = {
  detected: "marked",
  missed_swept: "missed though swept",
  partly_swept: "partly swept",
  never_swept: "not swept",
  hit: "on a target",
  repeat: "again on a target",
  false: "false",
  outside: "not counted",
};

function operatorRow(name, found) {
  const { pd_swept: pd, false_alarms: rate } = found;
  return [
    name,
    `${pd.k} of ${pd.n}`,
    pd.n ? `${percent(pd.value)} (${percent(pd.low)} to ${percent(pd.high)})` : DASH,
    String(found.missed_though_swept),
    String(found.not_swept),
    `${fixed(rate.value)} (${fixed(rate.low)} to ${fixed(rate.high)})`,
  ];
}

function comparison(found) {
  const rows = [operatorRow("learner", found.learner)];
  if (found.random) {
    const { random } = found;
    rows.push([
      "as many marks at random",
      `mean of ${random.draws}`,
      percent(random.pd_swept_mean),
      DASH,
      DASH,
      fixed(random.false_alarms_mean),
    ]);
  }
  rows.push(operatorRow("marks everywhere", found.everything));
  return table(
    "Blind lanes, all together",
    ["who", "targets found, of those swept", "P(det), 95 % interval", "missed though swept",
      "not swept", "false alarms per m², 95 % interval"],
    rows, 0);
}

async function sha256(text) {
  if (!globalThis.crypto || !crypto.subtle) return null;
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function sealLine(result, promised) {
  const line = el("p");
  line.id = "seal";
  line.append("Seal given before the start: ", el("code", promised || result.seal), ". ");
  sha256(result.sealed).then((found) => {
    let words = "The browser cannot compute it here; compare by hand.";
    if (found) {
      words = found === (promised || result.seal)
        ? "The truth shown below has this SHA-256." : "The truth shown below does NOT have it.";
    }
    line.append(words);
    line.dataset.agrees = found === null ? "unknown" : String(found === (promised || result.seal));
  });
  return line;
}

class Replay {
  constructor(result, ground) {
    this.ground = ground;
    this.result = result;
    this.run = result.runs[ground.name] || { poses: [], marks: [] };
    this.limits = result.limits;
    const all = ground.kind === "open"
      ? result.open.find((lane) => lane.lane === ground.name) : result.blind;
    this.outcome = new Map();
    for (const target of (all || {}).targets || []) {
      this.outcome.set(target.target, target.outcome);
    }
    this.marks = ((all || {}).marks || []).filter((item) => item.lane === ground.name);
    this.canvas = el("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${ground.name}: path, marks and what lay there`);
    this.slider = el("input");
    this.slider.type = "range";
    this.slider.min = "0";
    this.slider.max = String(this.run.poses.length);
    this.slider.value = this.slider.max;
    this.slider.setAttribute("aria-label", "time of the replay");
    this.button = el("button", "Replay");
    this.clock = el("span");
    this.timer = null;
    this.slider.addEventListener("input", () => this.draw());
    this.button.addEventListener("click", () => this.toggle());
    this.element = el("figure");
    const row = el("div", "", "replay");
    row.append(this.button, this.slider, this.clock);
    this.element.append(el("h3", ground.name), this.canvas, row);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  toggle() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
      this.button.textContent = "Replay";
      return;
    }
    const { poses } = this.run;
    if (Number(this.slider.value) >= poses.length) this.slider.value = "0";
    this.button.textContent = "Stop";
    let moment = (poses[Number(this.slider.value)] || [0])[0];
    this.timer = setInterval(() => {
      moment += 0.2; // four times as fast as it was
      let k = Number(this.slider.value);
      while (k < poses.length && poses[k][0] < moment) k += 1;
      this.slider.value = String(k);
      this.draw();
      if (k >= poses.length) this.toggle();
    }, 50);
  }

  draw() {
    const { canvas, ground } = this;
    const ratio = window.devicePixelRatio || 1;
    if (!canvas.clientWidth) return;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const room = [canvas.clientWidth, canvas.clientHeight];
    const s = Math.min(room[0] / (ground.width + 0.4), room[1] / (ground.length + 0.4));
    const at = (x, y) => [room[0] / 2 + s * x, room[1] / 2 - s * (y - ground.length / 2)];
    const [left, top] = at(-ground.width / 2, ground.length);
    pen.fillStyle = "#fbf9f3";
    pen.fillRect(left, top, s * ground.width, s * ground.length);
    pen.strokeStyle = "#888";
    pen.strokeRect(left, top, s * ground.width, s * ground.length);
    const n = Number(this.slider.value);
    this.drawPath(pen, at, s, n);
    for (const item of ground.objects) this.drawObject(pen, at, s, item);
    const now = n < this.run.poses.length && n > 0 ? this.run.poses[n][0] : Infinity;
    this.run.marks.forEach((entry, k) => {
      if (entry[0] <= now) this.drawMark(pen, at, entry, k);
    });
    const moment = (this.run.poses[Math.min(n, this.run.poses.length) - 1] || [0])[0];
    this.clock.textContent = `${moment.toFixed(0)} s`;
  }

  drawPath(pen, at, s, n) {
    const { poses } = this.run;
    pen.lineWidth = Math.max(1, 0.2 * s);
    pen.lineCap = "round";
    pen.strokeStyle = "#9fb4c940";
    pen.beginPath();
    for (let k = 1; k < n; k += 1) {
      const [before, now] = [poses[k - 1], poses[k]];
      if (now[0] - before[0] > 0.3 || now[3] > this.limits.height_m) continue;
      pen.moveTo(...at(before[1], before[2]));
      pen.lineTo(...at(now[1], now[2]));
    }
    pen.stroke();
    pen.lineWidth = 1;
    for (const isHigh of [false, true]) {
      pen.strokeStyle = isHigh ? "#c75b00" : "#1f5fa8";
      pen.beginPath();
      for (let k = 1; k < n; k += 1) {
        const [before, now] = [poses[k - 1], poses[k]];
        if (now[0] - before[0] > 0.3 || (now[3] > this.limits.height_m) !== isHigh) continue;
        pen.moveTo(...at(before[1], before[2]));
        pen.lineTo(...at(now[1], now[2]));
      }
      pen.stroke();
    }
    if (n > 0 && n < poses.length) {
      pen.lineWidth = 3;
      pen.strokeStyle = "#1a1a1a";
      pen.beginPath();
      pen.arc(...at(poses[n][1], poses[n][2]), 0.1 * s, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  drawObject(pen, at, s, item) {
    const [x, y] = at(item.right, item.forward);
    pen.lineWidth = 2;
    if (!item.is_target) {
      pen.strokeStyle = "#888";
      pen.strokeRect(x - 4, y - 4, 8, 8);
      return;
    }
    const outcome = this.outcome.get(item.identifier);
    pen.strokeStyle = outcome === "detected" ? "#1a1a1a"
      : outcome === "missed_swept" ? "#b3261e" : "#777";
    pen.setLineDash(outcome === "detected" || outcome === "missed_swept" ? [] : [4, 3]);
    pen.lineWidth = outcome === "missed_swept" ? 4 : 2;
    pen.beginPath();
    pen.arc(x, y, Math.max(5, (item.diameter / 2) * s), 0, 2 * Math.PI);
    pen.stroke();
    pen.setLineDash([]);
  }

  drawMark(pen, at, entry, k) {
    const [x, y] = at(entry[1], entry[2]);
    const found = this.marks.find((item) => item.mark === `${this.ground.name}, mark ${k + 1}`);
    const isFalse = found && found.outcome === "false";
    pen.lineWidth = 2.5;
    pen.strokeStyle = isFalse ? "#b3261e" : "#1a1a1a";
    if (found && found.outcome === "outside") pen.strokeStyle = "#888";
    pen.beginPath();
    const turn = isFalse ? [[-5, -5, 5, 5], [-5, 5, 5, -5]] : [[-6, 0, 6, 0], [0, -6, 0, 6]];
    for (const [a, b, c, d] of turn) {
      pen.moveTo(x + a, y + b);
      pen.lineTo(x + c, y + d);
    }
    pen.stroke();
  }
}

const KEY = [["○", "target, marked"], ["◯", "target, missed though swept (red, thick)"],
  ["◌", "target, not swept (dashed)"], ["□", "clutter"], ["+", "mark on a target (grey: not counted)"],
  ["×", "false mark"], ["—", "path; orange where the head was too high"]];

function renderResult(root, result, promised = "") {
  const title = result.learner ? `Result of ${result.learner}` : "Result";
  root.append(el("h2", title), el("p", `${result.banner} ${result.date}`));
  if (!result.is_valid) {
    root.append(el("p", "INVALID: a check with the test piece failed or was not done. What was " +
      "done between the checks is worth nothing.", "invalid"));
  }
  root.append(sealLine(result, promised));
  root.append(table("Test piece", ["check", "outcome", "why", "response", "distance"],
    result.checks.map((check) => [check.check, check.passed ? "passed" : "FAILED", check.reason,
      fixed(check.response, 1),
      check.pinpoint_m === null || check.pinpoint_m === undefined
        ? DASH : `${fixed(100 * check.pinpoint_m, 1)} cm`])));
  const { blind } = result;
  if (blind.is_scored) {
    root.append(comparison(blind));
    root.append(el("p", "Pinpoint error: " + (blind.pinpoint_mean_m === null ? "no hit"
      : `mean ${fixed(100 * blind.pinpoint_mean_m, 1)} cm, greatest ` +
        `${fixed(100 * blind.pinpoint_greatest_m, 1)} cm`) +
      `. A mark counts within ${fixed(100 * blind.halo_m, 0)} cm of a target's edge. So few ` +
      "targets allow no claim about a person: the interval says how little is known."));
  } else {
    root.append(el("p", `The blind lanes were not scored: ${blind.reason}.`, "note"));
  }
  const { limits } = result;
  root.append(table(
    `How the head was moved (limits: ${fixed(100 * limits.height_m, 0)} cm, ` +
      `${fixed(limits.speed_m_s, 1)} m/s, overlap ${percent(limits.overlap)})`,
    ["lane", "time", "observed", "not observed", "height: mean", "within", "speed: mean",
      "within", "overlap: median", "within", "marks"],
    result.lanes.map((lane) => [lane.lane, `${fixed(lane.seconds, 0)} s`,
      `${percent(lane.observed_share)} of ${fixed(lane.wanted_m2)} m²`,
      Object.entries(lane.not_observed_m2).map(([why, area]) =>
        `${why} ${fixed(area)} m²`).join(", ") || "0 m²",
      lane.height_mean_m === null ? DASH : `${fixed(100 * lane.height_mean_m, 1)} cm`,
      percent(lane.height_within),
      lane.speed_mean_m_s === null ? DASH : `${fixed(lane.speed_mean_m_s)} m/s`,
      percent(lane.speed_within), percent(lane.overlap_median), percent(lane.overlap_within),
      lane.marks])));
  const key = el("ul", "", "key");
  for (const [sign, words] of KEY) {
    const item = el("li");
    item.append(el("b", sign), ` ${words}`);
    key.append(item);
  }
  const lanes = el("div", "", "lanes");
  for (const ground of result.grounds) {
    if (ground.kind !== "check") lanes.append(new Replay(result, ground).element);
  }
  root.append(el("h2", "Replay"), key, lanes);
  if (blind.is_scored) {
    root.append(table("Targets of the blind lanes",
      ["target", "lane", "kind", "depth", "outcome", "share observed"],
      blind.targets.map((item) => [item.target, item.lane, item.kind,
        `${fixed(100 * item.depth_m, 1)} cm`, OUTCOMES[item.outcome],
        percent(item.share_observed)])));
    root.append(table("Marks of the blind lanes", ["mark", "outcome", "on", "why not counted"],
      blind.marks.map((item) => [item.mark, OUTCOMES[item.outcome], item.on || DASH,
        item.reason || DASH])));
  }
}
