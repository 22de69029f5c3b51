// The events of one debate, in order, each once, whatever happens to the connection.
//
//   const stream = new EventStream(id, {
//     since: 0, hash: null,            // the last event that is known already, and its hash
//     link: null,                      // the token of a shared link: instead of the visitor's credential
//     onevent(event, raw) {},          // an event of the log; `raw` is its text as received, for lib/verify.js
//     ontext(message) {},              // token_start, token_delta, token_end: text on its way, not in the log
//     onreset() {},                    // the log was replaced: what is known is void, the events follow from 1
//     onstate(state) {},               // {name, …}, see below
//   });
//   stream.close();
//
// States: "connecting"; "replaying" {from, to}; "live"; "waiting" {until, attempt, reason} until the next try; "polling"
// {reason} where no socket can be had, but events are; "ended" after debate_end; "refused" {message, code}.
//
// It subscribes with the number and the hash of the last event (docs/protocol.md, "What a client says"), so that a gateway
// sends exactly what is missing, and says LOG_RESET if the log is another one. An event that was seen is dropped, a gap or
// a broken link makes it subscribe again. Silence of two heartbeats counts as a lost connection. Waits double from
// half a second to fifteen, with a random part, and end at once when the browser comes back online or the tab is shown.
import * as api from "./api.js";
import * as session from "./session.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 40_000;
const POLL_MS = 2000;
const POLL_AFTER_FAILURES = 3;
const PAGE = 500;
const TEXTS = new Set(["token_start", "token_delta", "token_end"]);

export class EventStream {
  #id;
  #on;
  #seq;
  #hash;
  #socket = null;
  #timers = new Map();
  #failures = 0;
  #closed = false;
  #wake;
  #path;
  #link;

  constructor(id, { since = 0, hash = null, link = null, ...listeners }) {
    this.#id = id;
    this.#link = link;
    this.#path = link ? `/shared/${encodeURIComponent(link)}/events` : `/debates/${id}/events`;
    this.#seq = since;
    this.#hash = hash;
    this.#on = { onevent() {}, ontext() {}, onreset() {}, onstate() {}, ...listeners };
    this.#wake = () => { if (this.#timers.has("retry") && document.visibilityState !== "hidden") this.#connect(); };
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#connect();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#drop();
  }

  #connect() {
    this.#stop("retry");
    this.#drop();
    this.#on.onstate({ name: "connecting", attempt: this.#failures });
    let socket;
    try {
      socket = open(this.#link);
    } catch (error) {
      return this.#retry(String(error.message ?? error));
    }
    this.#socket = socket;
    this.#listenForSilence();
    socket.onopen = () => this.#subscribe();
    socket.onmessage = (message) => {
      if (socket !== this.#socket) return;
      this.#listenForSilence();
      this.#receive(message.data);
    };
    socket.onclose = (event) => { if (socket === this.#socket) this.#lost(event); };
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #subscribe() {
    const wish = { type: "subscribe", debate_id: this.#id, replay_from_seq: this.#seq + 1 };
    if (this.#seq > 0 && this.#hash) wish.after_hash = this.#hash;
    this.#socket?.send(JSON.stringify(wish));
  }

  #receive(raw) {
    let message;
    try {
      message = JSON.parse(raw);
    } catch {
      return;
    }
    if (TEXTS.has(message.type)) return this.#on.ontext(message);
    if (Number.isInteger(message.seq)) return this.#accept(message, raw);
    const data = message.data ?? {};
    switch (message.type) {
      case "replay_start":
        if (data.event_count > 0) this.#on.onstate({ name: "replaying", from: data.from_seq, to: data.latest_seq });
        break;
      case "replay_end":
        this.#failures = 0;
        if (!this.#closed) this.#on.onstate({ name: "live" });
        break;
      case "warning":
        if (data.code === "LOG_RESET") this.#reset();
        break;
      case "error":
        this.#refuse(data);
        break;
      case "auth_revoked":
        this.#revoked();
        break;
    }
  }

  #accept(event, raw) {
    if (event.debate_id !== this.#id || event.seq <= this.#seq) return;
    const isNext = event.seq === this.#seq + 1 && (this.#hash === null || event.prev_hash === this.#hash);
    if (!isNext) return this.#subscribe();
    this.#seq = event.seq;
    this.#hash = event.hash;
    this.#failures = 0;
    this.#on.onevent(event, raw);
    if (event.type !== "debate_end") return;
    this.#on.onstate({ name: "ended" });
    this.close();
  }

  #reset() {
    this.#seq = 0;
    this.#hash = null;
    this.#on.onreset();
  }

  #refuse(data) {
    this.#on.onstate({ name: "refused", message: data.message ?? "The gateway refused.", code: data.error_code ?? data.code });
    this.close();
  }

  async #revoked() {
    this.#drop();
    if (this.#link) return this.#refuse({ message: "This link has expired, or was revoked.", error_code: "share_not_found" });
    if (await session.renew()) return this.#connect();
    this.#refuse({ message: "You are signed out.", error_code: "authentication_required" });
  }

  #lost(event) {
    this.#socket = null;
    this.#stop("silence");
    if (this.#closed) return;
    if (event.code === 4001) return this.#revoked();
    if (event.code === 4003) return this.#retry("This address is not among those that the gateway allows.");
    this.#retry(event.reason || "The connection was lost.");
  }

  #retry(reason) {
    this.#failures += 1;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    const wait = longest * (0.5 + Math.random() / 2);
    if (this.#failures >= POLL_AFTER_FAILURES) return this.#poll(reason, wait);
    this.#on.onstate({ name: "waiting", until: Date.now() + wait, attempt: this.#failures, reason });
    this.#after("retry", wait, () => this.#connect());
  }

  /** Where no socket opens the same events come by HTTP; the socket is tried again after each longer wait. */
  async #poll(reason, wait) {
    const until = Date.now() + Math.max(wait, 3 * POLL_MS);
    try {
      for (let isMore = true; isMore && !this.#closed;) isMore = await this.#fetchEvents();
      if (this.#closed) return;
      this.#on.onstate({ name: "polling", reason });
    } catch (error) {
      if (this.#closed) return;
      if (error.status === 401 || error.status === 403 || error.status === 404) return this.#refuse({ message: error.message, error_code: error.code });
      this.#on.onstate({ name: "waiting", until: Date.now() + wait, attempt: this.#failures, reason: error.message });
      return this.#after("retry", wait, () => this.#connect());
    }
    if (Date.now() + POLL_MS > until) return this.#after("retry", POLL_MS, () => this.#connect());
    this.#after("retry", POLL_MS, () => this.#poll(reason, until - Date.now()));
  }

  async #fetchEvents() {
    const { events } = await api.get(this.#path, { query: { since: this.#seq, limit: PAGE }, anonymous: this.#link !== null });
    if (events.length > 0 && this.#hash && events[0].prev_hash !== this.#hash) {
      this.#reset();
      return true;
    }
    const before = this.#seq;
    for (const event of events) if (!this.#closed) this.#accept(event, null);
    return events.length === PAGE && this.#seq > before;
  }

  #listenForSilence() {
    this.#after("silence", SILENCE_MS, () => {
      this.#drop();
      this.#retry("Nothing came for a while.");
    });
  }

  #after(name, milliseconds, work) {
    this.#stop(name);
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      if (!this.#closed) work();
    }, milliseconds));
  }

  #stop(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** A header can not be set by a page: the credential is a subprotocol where its characters allow it. */
function open(link) {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (link) return new WebSocket(url, ["aragora-v1", `share_token.${link}`]);
  const token = session.token();
  if (!token) return new WebSocket(url, ["aragora-v1"]);
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(token)) return new WebSocket(url, ["aragora-v1", `access_token.${token}`]);
  url.searchParams.set("token", token);
  return new WebSocket(url, ["aragora-v1"]);
}
