'use strict';
// The session of this page: signing in, the token for each request, its renewal. Tokens live in this page's memory alone: what is
// kept for the next visit could be read by whoever comes next, and a refresh token that two tabs hold ends the session of both.
const Session = (() => {
  const isTurkish = (navigator.language || '').toLowerCase().startsWith('tr');
  const language = isTurkish ? 'tr' : 'en';
  const words = isTurkish
    ? {
        greeting: 'Windows kullanıcı adınız ve parolanızla giriş yapın. Sayfa yenilenirse yeniden giriş istenir.',
        username: 'Kullanıcı adı', password: 'Parola', enter: 'Giriş yap', leave: 'Çıkış yap',
        away: 'Kimlik şu anda yanıt vermiyor. Biraz sonra yeniden deneyin.', ended: 'Oturum sona erdi. Yeniden giriş yapın.',
      }
    : {
        greeting: 'Sign in with your Windows user name and password. A reload of the page asks again.',
        username: 'User name', password: 'Password', enter: 'Sign in', leave: 'Sign out',
        away: 'Kimlik does not answer now. Try again in a moment.', ended: 'The session has ended. Sign in again.',
      };
  // Renewed so long before it ends: longer than any question takes.
  const early = 60_000;
  const tokens = 'session { accessToken accessTokenExpiresAt refreshToken viewer { name roles } } userErrors { message }';
  const element = (id) => document.getElementById(id);
  let session = null;
  let renewing = null;
  let entered = () => {};

  const ask = async (query, input) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', 'accept-language': language },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return response.json();
  };

  const show = (message) => {
    element('refusal').textContent = message || '';
    element('door').hidden = Boolean(session);
    element('leave').hidden = !session;
    element('who').textContent = session ? `${session.viewer.name} · ${session.viewer.roles.join(', ')}` : '';
    if (!session) element('username').focus();
  };

  const take = (payload) => {
    session = payload?.session ?? null;
    return Boolean(session);
  };

  const signIn = async (username, password) => {
    const answer = await ask(`mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { ${tokens} } }`, { username, password });
    const payload = answer.data?.sessionCreate;
    if (take(payload)) entered();
    show(payload?.userErrors?.[0]?.message ?? answer.errors?.[0]?.message ?? (session ? '' : words.away));
  };

  // Only the server's word ends a session; a line that is broken for a moment does not.
  const renew = async () => {
    const answer = await ask(`mutation($input: SessionRefreshInput!) { sessionRefresh(input: $input) { ${tokens} } }`, {
      refreshToken: session.refreshToken,
    });
    const payload = answer.data?.sessionRefresh;
    if (payload && !take(payload)) show(words.ended);
  };

  const isStale = () => session && Date.parse(session.accessTokenExpiresAt) - Date.now() < early;

  // Every request asks here; however many come at once, the refresh token is used once.
  const token = async (anyway) => {
    if (session && (anyway || isStale())) {
      renewing ??= renew().finally(() => { renewing = null; });
      await renewing;
    }
    return session?.accessToken ?? '';
  };

  const authorized = async (address, init, anyway) => {
    const authorization = `Bearer ${await token(anyway)}`;
    return fetch(address, { ...init, headers: { ...init.headers, 'accept-language': language, authorization } });
  };

  element('greeting').textContent = words.greeting;
  element('username-label').textContent = words.username;
  element('password-label').textContent = words.password;
  element('enter').textContent = words.enter;
  element('leave').textContent = words.leave;
  document.documentElement.lang = language;
  // Why not before: sent by the browser itself, the form would carry the password somewhere.
  element('enter').disabled = false;
  element('sign-in').addEventListener('submit', async (event) => {
    event.preventDefault();
    const [username, password] = [element('username').value, element('password').value];
    element('password').value = '';
    element('enter').disabled = true;
    try {
      await signIn(username, password);
    } catch {
      show(words.away);
    } finally {
      element('enter').disabled = false;
    }
  });
  element('leave').addEventListener('click', async () => {
    const { refreshToken } = session;
    session = null;
    show('');
    await ask('mutation($input: SessionEndInput!) { sessionEnd(input: $input) { ended } }', { refreshToken }).catch(() => {});
  });
  show('');

  return {
    // Called once, at the first sign-in.
    whenEntered: (then) => { entered = () => { entered = () => {}; then(); }; },
    // Like fetch, in the session's name; a token that the server does not take any more is renewed once.
    fetch: async (address, init) => {
      const response = await authorized(address, init, false);
      if (response.status !== 401 || !session) return response;
      return authorized(address, init, true);
    },
    // For connection_init of a WebSocket.
    introduction: async () => ({ authorization: `Bearer ${await token(false)}` }),
  };
})();
