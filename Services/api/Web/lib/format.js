// Numbers, money and time as people read them. Money is micro-USD wherever the API says `micro_usd`, dollars where it
// says `usd`.

const number = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (Number.isFinite(value) ? number.format(value) : "–");
export const compact = (value) => (Number.isFinite(value) ? short.format(value) : "–");

/** "1 vote", "3 votes". */
export const plural = (amount, one, many = one + "s") => `${count(amount)} ${amount === 1 ? one : many}`;

/** Micro-USD: "$0", "$0.0012", "$1.24", "$1,240". */
export function microUSD(micro) {
  return Number.isFinite(micro) ? usd(micro / 1e6) : "–";
}

export function usd(dollars) {
  if (!Number.isFinite(dollars)) return "–";
  const size = Math.abs(dollars);
  if (size === 0) return "$0";
  const digits = size >= 1000 ? 0 : size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6;
  return "$" + dollars.toLocaleString("en-US", { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits });
}

/** A share of 1: "62 %". */
export const percent = (share, digits = 0) =>
  Number.isFinite(share) ? `${(share * 100).toFixed(digits)}\u202f%` : "–";

/** Seconds: "0.8 s", "42 s", "3 min 20 s", "2 h 5 min", "4 d". */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d`;
}

/** "just now", "5 min ago", "yesterday", "3 Mar 2026". */
export function ago(time, now = Date.now()) {
  const date = toDate(time);
  if (!date) return "–";
  const seconds = (now - date.getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 172800) return "yesterday";
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} days ago`;
  return day(date);
}

export function day(time) {
  const date = toDate(time);
  return date ? date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }) : "–";
}

/** To the second, in the visitor's zone. */
export function moment(time) {
  const date = toDate(time);
  return date
    ? date.toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" })
    : "–";
}

export function clock(time) {
  const date = toDate(time);
  return date ? date.toLocaleTimeString("en-GB") : "–";
}

/** From RFC 3339, seconds or milliseconds since 1970; null for anything else. */
export function toDate(time) {
  if (time === null || time === undefined || time === "") return null;
  if (time instanceof Date) return Number.isNaN(time.getTime()) ? null : time;
  const date = typeof time === "number" ? new Date(time < 1e11 ? time * 1000 : time) : new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** The first characters of a hash or an id, enough to compare by eye. */
export const brief = (hash, length = 12) => String(hash ?? "").slice(0, length);

/** At most `length` characters, cut at a word. */
export function cut(text, length) {
  const whole = String(text ?? "").replace(/\s+/g, " ").trim();
  if (whole.length <= length) return whole;
  const piece = whole.slice(0, length);
  const space = piece.lastIndexOf(" ");
  return (space > length * 0.6 ? piece.slice(0, space) : piece) + "…";
}
