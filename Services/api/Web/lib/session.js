// Who the visitor is to the API: an access token with its refresh token, or a key or service token that was pasted.
//
// The API reads no cookies, so there is nothing that another site could make a browser send (no CSRF), and the page says
// who it is in a header. What it keeps is in localStorage, where only scripts of this origin read, of which there are
// only ours (Content-Security-Policy).
//
// session.token()        the credential to send, or null
// session.user()         the account of the last sign-in {email, name, role, …}, or null
// session.rename(user)   the account as it is now
// session.isPerson()     whether the visitor came in as somebody, not with the installation's token or one for a debate
// session.renew()        gets a new access token by the refresh token; false when there is none or it is void
// session.onchange(f)    called when the visitor signs in or out, in this tab or another ({isElsewhere})
//
// A refresh token is good once, and using it twice ends the session; so renewing is under a lock of the browser across
// tabs, and whoever comes second finds that it is done.

const KEY = "aragora.session";
const listeners = new Set();

let state = load();

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function save(next) {
  state = next;
  try {
    if (next.access || next.bearer) localStorage.setItem(KEY, JSON.stringify(next));
    else localStorage.removeItem(KEY);
  } catch { /* storage is off: the session lasts as long as this tab */ }
  for (const listener of listeners) listener({ isElsewhere: false });
}

addEventListener("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  state = load();
  for (const listener of listeners) listener({ isElsewhere: true });
});

export const token = () => state.access ?? state.bearer ?? null;
export const user = () => state.user ?? null;
export const isSignedIn = () => token() !== null;
export const isPerson = () => isSignedIn() && (user() !== null || token().startsWith("ara_") || token().split(".").length === 3);
export const onchange = (listener) => listeners.add(listener);

/** What `POST /api/auth/login` answered. */
export function signedIn(answer) {
  const tokens = answer.tokens ?? answer;
  save({ access: tokens.access_token, refresh: tokens.refresh_token, user: kept(answer.user) ?? state.user ?? null });
}

/** A key or a service token, as it was pasted. */
export function useToken(bearer, user = null) {
  save({ bearer, user });
}

/** Who the visitor is, said anew, such as after a change of the name. */
export function rename(user) {
  if (token() !== null) save({ ...state, user: kept(user) });
}

/** Of the account no more than the page shows on every view. */
function kept(user) {
  return user ? { id: user.id, name: user.name, email: user.email, role: user.role } : null;
}

export function forget() {
  save({});
}

let renewing = null;

export function renew() {
  renewing ??= locked(state.access).finally(() => { renewing = null; });
  return renewing;
}

async function locked(stale) {
  const work = async () => {
    state = load();
    if (state.access && state.access !== stale) return true;
    return state.refresh ? exchange() : false;
  };
  return navigator.locks ? navigator.locks.request("aragora.renew", work) : work();
}

async function exchange() {
  const response = await fetch("/api/v1/auth/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refresh_token: state.refresh }),
  }).catch(() => null);
  if (!response) return false;
  if (!response.ok) {
    // 429 and 5xx may pass; a refused refresh token will not come back.
    if (response.status === 401 || response.status === 400) save({});
    return false;
  }
  signedIn(await response.json());
  return true;
}
