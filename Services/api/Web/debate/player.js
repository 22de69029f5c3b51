// Plays a debate that is over again, at any speed, from any event.
//
//   const player = new Player(events, { show(position) {}, close() {} });  player.element;  player.stop()
//
// `show` is called with how many events are to be seen. Pauses between events are as they were, divided by the speed, and
// never longer than LONGEST_MS, so that a debate that waited for an hour does not make anybody wait.
import { h, setText } from "../lib/dom.js";
import * as format from "../lib/format.js";

const LONGEST_MS = 4000;
const SPEEDS = [1, 2, 5, 20, 100];

export class Player {
  #events;
  #show;
  #at = 0;
  #timer = 0;
  #speed = 2;

  constructor(events, { show, close }) {
    this.#events = events;
    this.#show = show;
    this.toggle = h("button", { type: "button", class: "primary", onclick: () => (this.isPlaying ? this.pause() : this.play()) }, "Pause");
    this.slider = h("input", { type: "range", min: 1, max: events.length, value: 1, "aria-label": "Event" });
    this.slider.addEventListener("input", () => this.#seek(Number(this.slider.value)));
    this.place = h("output");
    const speed = h("select", { "aria-label": "Speed" }, SPEEDS.map((value) => h("option", { value, selected: value === this.#speed }, `${value}×`)));
    speed.addEventListener("change", () => {
      this.#speed = Number(speed.value);
      if (this.isPlaying) this.play();
    });
    this.element = h("div", { class: "player no-print", role: "group", "aria-label": "Replay" },
      this.toggle, this.slider, h("div", { class: "row" }, this.place, speed, h("button", { type: "button", class: "quiet", onclick: close }, "Close")));
  }

  get isPlaying() { return this.#timer !== 0; }

  play() {
    this.pause();
    if (this.#at >= this.#events.length) this.#at = 0;
    setText(this.toggle, "Pause");
    this.#next();
  }

  pause() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    setText(this.toggle, "Play");
  }

  stop() { this.pause(); }

  #next() {
    this.#move(this.#at + 1);
    if (this.#at >= this.#events.length) return this.pause();
    const gap = Date.parse(this.#events[this.#at].timestamp) - Date.parse(this.#events[this.#at - 1].timestamp);
    this.#timer = setTimeout(() => this.#next(), Math.min(LONGEST_MS, gap / this.#speed));
  }

  #seek(position) {
    const wasPlaying = this.isPlaying;
    this.pause();
    this.#move(position);
    if (wasPlaying) {
      setText(this.toggle, "Pause");
      this.#timer = setTimeout(() => this.#next(), 300);
    }
  }

  #move(position) {
    this.#at = position;
    this.slider.value = position;
    setText(this.place, `${format.count(position)} of ${format.count(this.#events.length)}`);
    this.slider.setAttribute("aria-valuetext", `event ${position} of ${this.#events.length}`);
    this.#show(position);
  }
}
