// An EHR's authorization server that others wrote (oidc-provider), with what SMART App Launch adds to OpenID Connect:
// the parameter `launch`, the members `patient` and `appContext` of a token response, and FHIR that answers only for
// the patient of the token. Its settings come as JSON in the first argument; it prints its address and ends with its
// standard input.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { client, launches, charts, launchUrl } = JSON.parse(process.argv[2]);
const scopes = ['openid', 'launch', 'fhirUser', ...['Patient', 'Observation', 'Condition', 'Procedure'].map((t) => `patient/${t}.rs`)];
const key = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: 'as', use: 'sig', alg: 'RS256' };
const launchOf = new Map(); // by nonce
const patientOf = new Map(); // by access token

const server = createServer((request, response) => handle(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const root = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(root, {
  clients: [client],
  scopes,
  extraParams: ['launch', 'aud'],
  claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
  conformIdTokenClaims: false,
  jwks: { keys: [key] },
  cookies: { keys: ['test'] },
  enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
  // It refuses to ask this machine for keys, where the app of the tests stands.
  fetch: (url, { dispatcher, ...options } = {}) => fetch(url, options),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/login/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: `${root}/fhir/Practitioner/${id}` }) }),
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope(scopes.join(' '));
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/login/')) {
    // Whoever comes is logged in.
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'dr-oidc' } }, { mergeWithLastSubmission: false });
    ctx.respond = false;
    return;
  }
  await next();
  const params = ctx.oidc?.params ?? {};
  if (ctx.oidc?.route === 'authorization' && params.launch && params.aud === `${root}/fhir`) launchOf.set(params.nonce, params.launch);
  if (ctx.oidc?.route === 'token' && ctx.status === 200) {
    const launch = launches[launchOf.get(ctx.oidc.entities.AuthorizationCode.nonce)];
    patientOf.set(ctx.body.access_token, launch.patient);
    Object.assign(ctx.body, launch);
  }
});
const callback = provider.callback();

function handle(request, response) {
  const url = new URL(request.url, root);
  if (url.pathname === '/fhir/.well-known/smart-configuration') return json(response, configuration());
  if (url.pathname.startsWith('/fhir/')) return fhir(request, response, url);
  if (url.pathname === '/chart') return chart(response, url);
  return callback(request, response);
}

const configuration = () => ({
  issuer: root, jwks_uri: `${root}/jwks`, authorization_endpoint: `${root}/auth`, token_endpoint: `${root}/token`,
  capabilities: ['launch-ehr', 'sso-openid-connect', 'permission-v2'],
});

function fhir(request, response, url) {
  const [, , type, id] = url.pathname.split('/');
  const patient = patientOf.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (!patient || patient !== (id ?? url.searchParams.get('patient'))) return json(response, {}, 401);
  const keys = { Patient: 'patient', Condition: 'conditions', Procedure: 'procedures' };
  const counts = (url.searchParams.get('code') ?? '').includes('777-3') ? 'bloodCounts' : 'albumin';
  return json(response, charts[patient][keys[type] ?? counts]);
}

// A chart of the EHR with the app in a frame.
function chart(response, url) {
  const query = new URLSearchParams({ iss: `${root}/fhir`, launch: url.searchParams.get('launch') });
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(`<!doctype html><title>chart</title><iframe title="app" width="900" height="700" src="${launchUrl}?${query}"></iframe>`);
}

function json(response, body, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

process.stdin.resume().on('end', () => process.exit());
console.log(root);
