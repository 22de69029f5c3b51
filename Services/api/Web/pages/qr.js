// QR codes (ISO/IEC 18004): bytes, level M, versions 1 to 10, which is 213 bytes; enough for any otpauth address.
//
//   modules(text)   rows of true (dark) and false
//   picture(text)   an SVG, dark on light in both themes, with the quiet zone that cameras need
import { s } from "../lib/dom.js";

// Of each version: codewords for error correction in a block, then the blocks as [how many, data codewords of each].
const BLOCKS = [null,
  [10, [1, 16]], [16, [1, 28]], [26, [1, 44]], [18, [2, 32]], [24, [2, 43]], [16, [4, 27]], [18, [4, 31]],
  [22, [2, 38], [2, 39]], [22, [3, 36], [2, 37]], [26, [4, 43], [1, 44]]];
const ALIGNMENTS = [null, [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];
const LEVEL_M = 0;
const FORMAT_GENERATOR = 0b10100110111;
const FORMAT_MASK = 0b101010000010010;
const VERSION_GENERATOR = 0b1111100100101;
const QUIET = 4;

export function picture(text, label) {
  const rows = modules(text);
  const size = rows.length + 2 * QUIET;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ""))).join("");
  return s("svg", { viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    s("rect", { width: size, height: size, fill: "#fff" }), s("path", { d: path, fill: "#000" }));
}

export function modules(text) {
  const data = new TextEncoder().encode(text);
  const version = fitting(data.length);
  const symbol = new QRSymbol(version);
  symbol.place(withCorrection(version, codewords(version, data)));
  return symbol.masked();
}

const capacity = (version) => BLOCKS[version].slice(1).reduce((sum, [count, size]) => sum + count * size, 0);
const countBits = (version) => (version < 10 ? 8 : 16);

function fitting(length) {
  for (let version = 1; version < BLOCKS.length; version += 1) {
    if (4 + countBits(version) + 8 * length <= 8 * capacity(version)) return version;
  }
  throw new RangeError("This text is too long for a QR code of version 10.");
}

/** Mode, length, bytes, terminator, then padding. */
function codewords(version, data) {
  const bits = [];
  const push = (value, length) => { for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1); };
  push(0b0100, 4);
  push(data.length, countBits(version));
  for (const byte of data) push(byte, 8);
  const room = 8 * capacity(version);
  push(0, Math.min(4, room - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  const words = [];
  for (let at = 0; at < bits.length; at += 8) words.push(Number.parseInt(bits.slice(at, at + 8).join(""), 2));
  for (let pad = 0; words.length < capacity(version); pad += 1) words.push(pad % 2 === 0 ? 0xec : 0x11);
  return words;
}

// GF(256) over x⁸ + x⁴ + x³ + x² + 1.
const POWERS = new Uint8Array(512);
const LOGS = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent += 1) {
  POWERS[exponent] = POWERS[exponent + 255] = value;
  LOGS[value] = exponent;
  value <<= 1;
  if (value & 0x100) value ^= 0x11d;
}
const times = (one, other) => (one === 0 || other === 0 ? 0 : POWERS[LOGS[one] + LOGS[other]]);

function generator(degree) {
  let polynomial = [1];
  for (let root = 0; root < degree; root += 1) {
    const next = new Array(polynomial.length + 1).fill(0);
    polynomial.forEach((factor, index) => {
      next[index] ^= factor;
      next[index + 1] ^= times(factor, POWERS[root]);
    });
    polynomial = next;
  }
  return polynomial;
}

function remainder(data, degree) {
  const divisor = generator(degree);
  const rest = [...data, ...new Array(degree).fill(0)];
  for (let at = 0; at < data.length; at += 1) {
    const factor = rest[at];
    if (factor !== 0) divisor.forEach((part, index) => { rest[at + index] ^= times(part, factor); });
  }
  return rest.slice(data.length);
}

/** Blocks with their correction, woven: first of each, second of each, and so on. */
function withCorrection(version, words) {
  const [degree, ...groups] = BLOCKS[version];
  const blocks = [];
  let at = 0;
  for (const [count, size] of groups) {
    for (let index = 0; index < count; index += 1) {
      blocks.push(words.slice(at, at + size));
      at += size;
    }
  }
  const corrections = blocks.map((block) => remainder(block, degree));
  const woven = [];
  for (let index = 0; index < Math.max(...blocks.map((block) => block.length)); index += 1) {
    for (const block of blocks) if (index < block.length) woven.push(block[index]);
  }
  for (let index = 0; index < degree; index += 1) for (const correction of corrections) woven.push(correction[index]);
  return woven;
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class QRSymbol {
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    this.rows = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
    this.fixed = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
    this.patterns();
  }

  set(x, y, dark) {
    this.rows[y][x] = dark;
    this.fixed[y][x] = true;
  }

  patterns() {
    const last = this.size - 1;
    for (let at = 0; at < this.size; at += 1) {
      this.set(6, at, at % 2 === 0);
      this.set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) this.finder(x, y);
    const places = ALIGNMENTS[this.version];
    const end = places.at(-1);
    for (const x of places) {
      for (const y of places) {
        if ((x === 6 && y === 6) || (x === 6 && y === end) || (x === end && y === 6)) continue;
        this.square(x, y, 2, (distance) => distance !== 1);
      }
    }
    this.format(0);
    if (this.version >= 7) this.versionBits();
  }

  finder(x, y) { this.square(x, y, 4, (distance) => distance !== 2 && distance !== 4); }

  square(x, y, reach, isDark) {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        if (x + dx < 0 || y + dy < 0 || x + dx >= this.size || y + dy >= this.size) continue;
        this.set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  format(mask) {
    const data = (LEVEL_M << 3) | mask;
    const bits = ((data << 10) | rest(data << 10, FORMAT_GENERATOR)) ^ FORMAT_MASK;
    const last = this.size - 1;
    const bit = (index) => ((bits >> index) & 1) === 1;
    for (let index = 0; index < 15; index += 1) {
      const around = index < 6 ? index : index < 8 ? index + 1 : null;
      if (around !== null) this.set(8, around, bit(index));
      else if (index === 8) this.set(7, 8, bit(index));
      else this.set(14 - index, 8, bit(index));
      if (index < 8) this.set(last - index, 8, bit(index));
      else this.set(8, last - 14 + index, bit(index));
    }
    this.set(8, last - 7, true);
  }

  versionBits() {
    const bits = (this.version << 12) | rest(this.version << 12, VERSION_GENERATOR);
    for (let index = 0; index < 18; index += 1) {
      const [far, near] = [this.size - 11 + (index % 3), Math.floor(index / 3)];
      this.set(far, near, ((bits >> index) & 1) === 1);
      this.set(near, far, ((bits >> index) & 1) === 1);
    }
  }

  /** In pairs of columns from the right, up and down in turn, around what is fixed. */
  place(words) {
    let at = 0;
    for (let right = this.size - 1; right > 0; right -= 2) {
      if (right === 6) right = 5;
      const isUp = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step += 1) {
        const y = isUp ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y][x]) continue;
          this.rows[y][x] = at < words.length * 8 && ((words[at >> 3] >> (7 - (at & 7))) & 1) === 1;
          at += 1;
        }
      }
    }
  }

  /** Under the mask that disturbs readers least. */
  masked() {
    let best = null;
    for (let mask = 0; mask < MASKS.length; mask += 1) {
      this.flip(mask);
      this.format(mask);
      const cost = penalty(this.rows);
      if (best === null || cost < best.cost) best = { cost, rows: this.rows.map((row) => [...row]) };
      this.flip(mask);
    }
    return best.rows;
  }

  flip(mask) {
    for (let y = 0; y < this.size; y += 1) {
      for (let x = 0; x < this.size; x += 1) if (!this.fixed[y][x] && MASKS[mask](x, y)) this.rows[y][x] = !this.rows[y][x];
    }
  }
}

/** Of a division of polynomials over GF(2). */
function rest(value, divisor) {
  const degree = 31 - Math.clz32(divisor);
  for (let bit = 31 - Math.clz32(value); bit >= degree; bit -= 1) if ((value >> bit) & 1) value ^= divisor << (bit - degree);
  return value;
}

function penalty(rows) {
  const size = rows.length;
  let cost = 0;
  const columns = rows.map((_, x) => rows.map((row) => row[x]));
  for (const line of [...rows, ...columns]) {
    let run = 1;
    for (let at = 1; at <= size; at += 1) {
      if (at < size && line[at] === line[at - 1]) run += 1;
      else {
        if (run >= 5) cost += run - 2;
        run = 1;
      }
    }
    const text = line.map((dark) => (dark ? "1" : "0")).join("");
    for (const like of ["00001011101", "10111010000"]) {
      for (let at = text.indexOf(like); at !== -1; at = text.indexOf(like, at + 1)) cost += 40;
    }
  }
  let dark = 0;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (rows[y][x]) dark += 1;
      if (x > 0 && y > 0 && rows[y][x] === rows[y - 1][x] && rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x - 1]) cost += 3;
    }
  }
  return cost + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
}
