// The API, for pages.
//
//   const page = await get("/debates", { query: { limit: 20, q: words }, signal });
//   await post(`/debates/${id}/cancel`);
//
// Paths are below /api/v1. A body is sent and answered as JSON. Whatever goes wrong is an ApiError:
//   status       of HTTP; 0 when there was no answer
//   code         for programs, as in docs/protocol.md ("network" when there was no answer)
//   message      for people: show it as text
//   suggestion   what helps, or null
//   fields       {field: message} of a refused form
//   retryAfter   seconds, or null
//   requestID    for whoever reads the logs
// A 401 is tried once more after renewing the session; if the credential is void, or there is none, the listener of
// `onrefused` is told (the router goes to /signin) and the error is thrown. Pass `signal` of the page, so that leaving it ends what it asked for.
import * as session from "./session.js";

export const BASE = "/api/v1";

const VOID = new Set(["invalid_token", "token_expired"]);

export class ApiError extends Error {
  constructor(status, body, response) {
    super(body.error ?? body.message ?? "The server did not answer.");
    this.status = status;
    this.code = body.code ?? "unknown";
    this.suggestion = body.suggestion ?? null;
    this.fields = Object.fromEntries((body.errors ?? []).map((error) => [error.field, error.message]));
    this.retryAfter = Number(response?.headers.get("Retry-After")) || null;
    this.requestID = response?.headers.get("X-Request-ID") ?? null;
  }
}

let refused = () => {};
export const onrefused = (listener) => { refused = listener; };

export const get = (path, options) => json("GET", path, undefined, options);
export const post = (path, body, options) => json("POST", path, body ?? {}, options);
export const patch = (path, body, options) => json("PATCH", path, body, options);
export const del = (path, options) => json("DELETE", path, undefined, options);

/** Ends the session here and at the API. A token of the installation or of a program is only forgotten: it is not ours to end. */
export async function signOut() {
  if (session.isPerson()) await post("/auth/logout").catch(() => {});
  session.forget();
}

async function json(method, path, body, options) {
  const response = await call(method, path, body, options);
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

/** The answer as text, byte for byte: for what is hashed. */
export async function text(path, options) {
  return (await call("GET", path, undefined, options)).text();
}

/** Saves an answer as a file; `name` unless the answer says its own. */
export async function download(path, name, options) {
  const response = await call("GET", path, undefined, options);
  const told = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "");
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = told ? told[1] : name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** An answer of a good status; throws ApiError otherwise, and AbortError when `signal` says so. */
export async function call(method, path, body, { query, signal, headers = {}, anonymous = false, credentials = "omit" } = {}) {
  const url = address(path, query);
  for (let attempt = 1; ; attempt += 1) {
    const credential = anonymous ? null : session.token();
    const response = await send(method, url, body, credential, headers, signal, credentials);
    if (response.ok) return response;
    const error = new ApiError(response.status, await problem(response), response);
    if (response.status !== 401 || anonymous) throw error;
    if (attempt === 1 && credential && (await session.renew())) continue;
    // A good credential of the wrong kind (a service token, asked who its user is) is no reason to sign out.
    if (credential && !VOID.has(error.code)) throw error;
    if (credential && credential === session.token()) session.forget();
    refused(error);
    throw error;
  }
}

function address(path, query) {
  const url = path.startsWith("/.well-known/") || path.startsWith("/api/") ? path : BASE + path;
  const items = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return items.length === 0 ? url : `${url}?${new URLSearchParams(items)}`;
}

async function send(method, url, body, credential, headers, signal, credentials) {
  const fields = { Accept: "application/json", ...headers };
  if (credential) fields.Authorization = `Bearer ${credential}`;
  if (body !== undefined) fields["Content-Type"] = "application/json";
  try {
    return await fetch(url, {
      method, headers: fields, signal, cache: "no-store", credentials,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {
      error: "The server can not be reached.", code: "network", suggestion: "Check the connection, then try again.",
    });
  }
}

async function problem(response) {
  try {
    return await response.json();
  } catch {
    return { error: `The server answered ${response.status}.`, code: "unknown" };
  }
}
