// Guesses of a code over two sockets in turn. Arguments: address, token, id of the challenge, guesses with commas between. Prints the
// answers, and how a socket without a token was closed.
import WebSocket from 'ws';

const [url, token, challengeId, guesses] = process.argv.slice(2);
const query = 'mutation($input: ChallengeVerifyInput!) { challengeVerify(input: $input) { ticket { token } userErrors { code } } }';

const opened = (payload) =>
  new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('message', () => resolve({ socket }));
    socket.on('close', (code) => resolve({ code }));
  });
const ask = ({ socket }, id, code) =>
  new Promise((resolve) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'next' && message.id === id) resolve(message.payload);
    });
    socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query, variables: { input: { challengeId, code } } } }));
  });

const sockets = [await opened({ authorization: `Bearer ${token}` }), await opened({ authorization: `Bearer ${token}` })];
const answers = [];
for (const [n, code] of guesses.split(',').entries()) answers.push(await ask(sockets[n % 2], String(n), code));
const { code: stranger } = await opened({});
sockets.forEach(({ socket }) => socket.close());
console.log(JSON.stringify({ answers, stranger }));
