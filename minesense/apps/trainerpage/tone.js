"use strict";

// The same rules as minesense.emi.voice.Voice.control; a test compares them.
function controlOf(voice, statistic, isCredited = true) {
  if (!Number.isFinite(statistic)) {
    return { pitch: 165, loudness: 0.6, state: "fault", isCredited };
  }
  if (Math.abs(statistic) >= voice.saturation) {
    return { pitch: 1100, loudness: 1, state: "saturated", isCredited };
  }
  const size = voice.head === "single" ? Math.max(statistic, 0) : Math.abs(statistic);
  if (size < voice.threshold) {
    const loudness = voice.hum * (1 + (0.5 * size) / voice.threshold);
    return { pitch: voice.pitch, loudness, state: "hum", isCredited };
  }
  const level = Math.min(
    1, Math.log(size / voice.threshold) / Math.log(voice.full / voice.threshold));
  const pitch = voice.head === "single"
    ? voice.pitch * 2 ** (voice.octaves * level)
    : (statistic > 0 ? voice.right : voice.left) * 2 ** (level / 3);
  const first = 1.5 * voice.hum;
  return { pitch, loudness: first + (1 - first) * level, state: "signal", isCredited };
}

// What a static or a dynamic detector makes of a statistic, as minesense.emi.tone.Tone does.
class Listening {
  constructor(voice) {
    this.voice = voice;
    this.level = NaN;
    this.time = NaN;
  }

  hear(statistic, time, isCredited) {
    let value = statistic;
    if (this.voice.mode === "dynamic" && Number.isFinite(value)) {
      const most = this.voice.threshold;
      if (Number.isNaN(this.level)) {
        this.level = this.voice.head === "double-d" ? value : Math.max(0, value);
        this.level = Math.min(Math.max(this.level, -most), most);
      } else {
        const weight = -Math.expm1(-(time - this.time) / this.voice.time_constant);
        this.level += weight * (value - this.level);
      }
      if (Math.abs(value) < this.voice.saturation) value -= this.level;
    }
    this.time = time;
    return controlOf(this.voice, value, isCredited);
  }
}

// Two oscillators of one pitch, one smooth and one harsh, each with its loudness.
class Sound {
  constructor() {
    this.context = null;
    this.volume = 0.5;
    this.log = [];
  }

  start() {
    if (this.context) {
      this.context.resume();
      return;
    }
    const context = new AudioContext({ latencyHint: "interactive" });
    this.build(context);
    context.resume();
  }

  build(context) {
    const wave = (parts) => context.createPeriodicWave(
      new Float32Array(parts.length), new Float32Array(parts), { disableNormalization: true });
    this.context = context;
    this.master = context.createGain();
    this.master.gain.value = this.volume;
    this.master.connect(context.destination);
    this.voices = [[0, 0.8, 0.2], [0, 0.6, 0, 0.3, 0, 0.1]].map((parts) => {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      oscillator.setPeriodicWave(wave(parts));
      oscillator.frequency.value = 220;
      gain.gain.value = 0;
      oscillator.connect(gain).connect(this.master);
      oscillator.start();
      return { oscillator, gain };
    });
  }

  // Nothing jumps: pitch and loudness go to their targets within a few milliseconds.
  set(control, seconds, scale = 1) {
    let { pitch, loudness } = control;
    let harsh = 0;
    if (control.state === "fault") {
      harsh = 1;
      if (seconds % 0.5 >= 0.25) pitch *= 1.5;
    } else if (control.state === "saturated") {
      harsh = 0.3;
      if (seconds % 0.1 >= 0.05) pitch *= 1.26;
    } else if (!control.isCredited && seconds % 0.125 >= 0.08) {
      loudness *= 0.25;
    }
    loudness *= scale;
    this.log.push({ seconds, pitch, loudness, state: control.state });
    if (this.log.length > 20000) this.log.splice(0, 10000);
    if (!this.context) return;
    const now = this.context.currentTime;
    this.voices.forEach(({ oscillator, gain }, k) => {
      oscillator.frequency.setTargetAtTime(pitch, now, 0.004);
      gain.gain.setTargetAtTime(loudness * (k ? harsh : 1 - harsh), now, 0.004);
    });
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.context) this.master.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  quiet() {
    if (!this.context) return;
    for (const { gain } of this.voices) {
      gain.gain.setTargetAtTime(0, this.context.currentTime, 0.02);
    }
  }
}
