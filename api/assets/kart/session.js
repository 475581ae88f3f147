// The session of this page: tokens live in its memory alone. What is kept for the next visit could be read by whoever comes
// next, and a refresh token that two tabs hold ends the session of both.
const tokens = (more = "") => `session { accessToken accessTokenExpiresAt refreshToken viewer { name roles card { id } ${more} } } userErrors { message }`;
// Renewed so long before it ends: longer than any question takes.
const EARLY = 60_000;
let session = null;
let renewing = null;
let tongue = "tr";
let ended = () => {};

export const viewer = () => session?.viewer ?? null;
export const speak = (language) => { tongue = language; };
export const whenEnded = (then) => { ended = then; };

async function post(query, variables, token) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json", "accept-language": tongue };
  if (token) headers.authorization = `Bearer ${token}`;
  return fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
}

export async function signIn(username, password) {
  const query = `mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { ${tokens("language")} } }`;
  const { data } = await (await post(query, { input: { username, password } })).json();
  session = data.sessionCreate.session;
  return session ? "" : data.sessionCreate.userErrors.map((error) => error.message).join(" ");
}

export async function signOut() {
  const input = { refreshToken: session.refreshToken };
  session = null;
  await post("mutation($input: SessionEndInput!) { sessionEnd(input: $input) { ended } }", { input }).catch(() => {});
}

// Only the server's word ends a session; a line that is broken for a moment does not.
async function renew() {
  const query = `mutation($input: SessionRefreshInput!) { sessionRefresh(input: $input) { ${tokens()} } }`;
  const { data } = await (await post(query, { input: { refreshToken: session.refreshToken } })).json();
  if (!data?.sessionRefresh) return;
  session = data.sessionRefresh.session;
  if (!session) ended();
}

async function token(anyway) {
  if (session && (anyway || Date.parse(session.accessTokenExpiresAt) - Date.now() < EARLY)) {
    // However many questions come at once, the refresh token is used once.
    renewing ??= renew().finally(() => { renewing = null; });
    await renewing;
  }
  return session?.accessToken ?? "";
}

export async function ask(query, variables = {}) {
  let response = await post(query, variables, await token(false));
  if (response.status === 401 && session) response = await post(query, variables, await token(true));
  const { data, errors } = await response.json();
  if (!data) throw new Error(errors?.[0]?.message ?? "no data");
  return data;
}
