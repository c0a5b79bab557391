// A real OpenID Connect provider (npm oidc-provider) on loopback, for tests/login/test_real_provider.py.
// In: one argument, JSON: client_id, client_secret, base (of the gateway), users (name -> claims), in_id_token.
// Out: a line with its issuer. Each line on stdin, JSON, says which claims of ID tokens are otherwise than right from
// then on (null: left out). It ends with its stdin.
import http from 'node:http'
import readline from 'node:readline'
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT, decodeJwt, importJWK } from 'jose'
import { Provider } from 'oidc-provider'

const asked = JSON.parse(process.argv[2])
const jwk = {
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: 'een', use: 'sig', alg: 'RS256',
}
let spoil = {}
// What it has to say is not for who reads our stdout.
console.info = console.error

/** The ID token with what is otherwise than right, signed with the provider's own key. */
async function spoiled(token) {
  const claims = { ...decodeJwt(token), ...spoil }
  for (const [name, value] of Object.entries(claims)) if (value === null) delete claims[name]
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: jwk.kid }).sign(await importJWK(jwk, 'RS256'))
}

function provider(issuer) {
  const made = new Provider(issuer, {
    clients: [{
      client_id: asked.client_id,
      client_secret: asked.client_secret,
      redirect_uris: [`${asked.base}/inloggen/terug`],
      post_logout_redirect_uris: [`${asked.base}/uitgelogd`],
    }],
    // Its page for logging in takes any name; only these have claims.
    findAccount: (_, name) => ({ accountId: name, claims: () => ({ sub: name, ...asked.users[name] }) }),
    claims: { openid: ['sub'], profile: ['preferred_username', 'roles'] },
    conformIdTokenClaims: !asked.in_id_token,
    pkce: { required: () => true },
    jwks: { keys: [jwk] },
    cookies: { keys: ['alleen-voor-tests'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  })
  made.use(async (context, next) => {
    await next()
    const tokens = context.body
    if (tokens?.id_token && Object.keys(spoil).length) {
      context.body = { ...tokens, id_token: await spoiled(tokens.id_token) }
    }
  })
  return made
}

const server = http.createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  server.on('request', provider(issuer).callback())
  process.stdout.write(`${issuer}\n`)
})
readline.createInterface({ input: process.stdin })
  .on('line', (line) => { spoil = JSON.parse(line); process.stdout.write('gehoord\n') })
  .on('close', () => process.exit(0))
