/**
 * Which tests of ours hold what the public suites check, so that it is held where no suite can be brought. The run of the suites says
 * which of their cases is named by nothing here, and `held-by.test.ts` that the tests exist.
 */

import type { Suite } from './checkouts.ts'

export interface Held {
  /** Names of their cases. */
  readonly cases: RegExp
  /** Test files of this folder's parent, and titles in them. */
  readonly by: readonly (readonly [file: string, title: string])[]
}

/** What they check of the code that is not the store's, and that we do not replace. */
const NOT_OURS: Held['by'] = []

export const HELD: Readonly<Record<Suite, readonly Held[]>> = {
  express: [
    {
      cases: /proxy option|"secure" set to "auto"|"sameSite" set to "auto"|\.secure /,
      by: [
        ['express-cookies.test.ts', 'a secure cookie %s'],
        ['express-cookies.test.ts', 'a cookie whose attributes follow the connection'],
        ['express-cookies.test.ts', 'sameSite auto with secure %s'],
      ],
    },
    {
      cases: /"path" set to/,
      by: [
        ['express-cookies.test.ts', 'a cookie of the path /foo/bar'],
        ['express-cookies.test.ts', 'a cookie of a path is not set for a target'],
      ],
    },
    { cases: /"cookie" is a function/, by: [['express-cookies.test.ts', 'can be made for each']] },
    { cases: /(key|name) option/, by: [['express-cookies.test.ts', 'is called connect.sid']] },
    {
      cases: /\.cookie \.\* should (serialize|override)|\.partitioned/,
      by: [['express-cookies.test.ts', 'a cookie with %o']],
    },
    {
      cases: /browser-session|only set-cookie when modified/,
      by: [
        ['express-cookies.test.ts', 'set once where it ends with the browser'],
        ['express-cookies.test.ts', 'only by requests that change the session'],
      ],
    },
    { cases: /forward errors setting cookie/, by: [['express-cookies.test.ts', 'no date']] },
    {
      cases: /preserve cookies set/,
      by: [['express-cookies.test.ts', 'cookies that a handler sets']],
    },
    { cases: /originalMaxAge/, by: [['express-cookies.test.ts', 'originalMaxAge stays']] },
    {
      cases: /\.cookie \.(maxAge|expires)/,
      by: [['express-cookies.test.ts', 'a handler changes how long the cookie lasts']],
    },
    {
      cases: /rolling option/,
      by: [
        ['express-cookies.test.ts', 'only by requests that change the session'],
        ['express-cookies.test.ts', 'a rolling cookie with %o'],
      ],
    },
    {
      cases: /response ended.*updated cookie expiration|cookie expiration when slow write/,
      by: [
        ['express-cookies.test.ts', 'has the cookie that its client was given'],
        ['express-trouble.test.ts', 'a slow answer has the cookie of its end'],
      ],
    },
    {
      cases: /response ended should have saved|res\.end( calls|\(null\))|synchronous store.*save/,
      by: [['express-requests.test.ts', 'a session is saved whichever way its answer ends']],
    },
    {
      cases: /res\.end patch/,
      by: [
        ['express-requests.test.ts', 'an answer whose write and end were replaced'],
        ['express-requests.test.ts', 'changing the head after the end'],
      ],
    },
    {
      cases:
        /create a new session$|load session from cookie|multiple sessions|req\.session should persist/,
      by: [
        ['express-requests.test.ts', 'each client has a session of its own'],
        ['express-requests.test.ts', 'an id that the store does not know'],
        ['frameworks.test.ts', 'knows who is logged in'],
      ],
    },
    {
      cases: /sid not in store/,
      by: [['express-requests.test.ts', 'an id that the store does not']],
    },
    {
      cases: /session expired in store/,
      by: [
        ['express-requests.test.ts', 'a session that has ended by its cookie'],
        ['express.test.ts', 'lasts as its cookie does'],
      ],
    },
    {
      cases: /not properly signed|secret option should sign|when an array|cookieParser/,
      by: [
        ['express-ids.test.ts', 'is looked for only where one of the secrets'],
        ['express-ids.test.ts', 'is signed by a text, or by bytes'],
        ['express-ids.test.ts', 'is read from where a parser'],
      ],
    },
    {
      cases: /genid option/,
      by: [
        ['express-ids.test.ts', 'is made by genid'],
        ['express.test.ts', 'that does not make its ids with newId'],
      ],
    },
    {
      cases: /without cookie property/,
      by: [['setup-mistakes.test.ts', 'goes on with a session that was saved by a call']],
    },
    { cases: /session exists/, by: [['express-requests.test.ts', 'that has a session already']] },
    { cases: /empty req\.url/, by: [['express-requests.test.ts', 'a request without a target']] },
    { cases: /reserved properties/, by: [['express-handlers.test.ts', 'keeps data under names']] },
    { cases: /enumerable/, by: [['express-handlers.test.ts', 'shows nothing but what is in it']] },
    {
      cases: /bogus/,
      by: [['express-handlers.test.ts', 'saves nothing under an id that is none']],
    },
    {
      cases: /resave option|saveUninitialized option/,
      by: [
        ['express-requests.test.ts', 'what of resave %s'],
        ['express-requests.test.ts', 'a request that only changes its cookie'],
        ['express-cookies.test.ts', 'a rolling cookie with %o'],
        ['express-trouble.test.ts', 'of %s is told, and the answer goes out'],
        ['express-trouble.test.ts', 'a session of nobody is not used'],
        ['express.test.ts', 'writes nothing for a save that changes nothing'],
      ],
    },
    {
      cases: /unset option|synchronous store.*destroy/,
      by: [
        ['express-requests.test.ts', 'a request that takes its session away'],
        ['express-trouble.test.ts', 'of %s is told, and the answer goes out'],
        ['express-trouble.test.ts', 'of a wrong setup is told'],
      ],
    },
    {
      cases: /session fetch error/,
      by: [['express-trouble.test.ts', 'of a read is the answer']],
    },
    {
      cases: /without secret|req\.secret|reject empty arrays/,
      by: [['express-trouble.test.ts', 'of a wrong setup is told']],
    },
    { cases: /disconnected|reconnects/, by: [['express-trouble.test.ts', 'says that it is away']] },
    {
      cases: /\.(destroy|regenerate|touch)\(\)|reload session from store|save session to store/,
      by: [['express-handlers.test.ts', 'a handler saves, reads again, uses, renews and ends']],
    },
    {
      cases: /session is missing|session missing|overridden `reload`/,
      by: [['express-handlers.test.ts', 'reading again what is gone']],
    },
    {
      cases: /prevent end-of-request save/,
      by: [['express-handlers.test.ts', 'the only one of its request']],
    },
    { cases: /export constructors/, by: [['express.test.ts', 'is a store of express-session']] },
  ],
  fastify: [
    {
      cases:
        /secure|sameSite|SameSite|HttpOnly|partitioned|with (expires|maxAge)|session cookie$|express sessions|cookie name|another path|x-forwarded|invalid path/,
      by: [
        ['fastify-cookies.test.ts', 'a cookie of %o for a connection of %s'],
        ['fastify-cookies.test.ts', 'a cookie of the path %s'],
        ['fastify-cookies.test.ts', 'is called sessionId where nothing is said'],
        ['fastify-cookies.test.ts', 'a request changes what its own cookie is'],
      ],
    },
    { cases: /handle path/, by: [['fastify-cookies.test.ts', 'a cookie of the path %s']] },
    {
      cases: /checkOptions|multiple secrets|custom signer/,
      by: [
        ['fastify-cookies.test.ts', '%s is refused'],
        ['fastify-cookies.test.ts', '%s is taken as a secret'],
        ['fastify.test.ts', 'reads what an older secret has signed'],
      ],
    },
    { cases: /algorithm/, by: [['fastify-cookies.test.ts', 'a signature made by %s is read']] },
    {
      cases: /maxAge|expires property|cookie expiration/,
      by: [
        ['fastify-cookies.test.ts', 'the cookie has an end only where'],
        ['fastify-cookies.test.ts', 'a request changes what its own cookie is'],
        ['fastify.test.ts', 'sends the cookie again with each use'],
      ],
    },
    {
      cases:
        /^(Cookie|Custom options|Override global options|session\.options|Override global options with regenerate)/,
      by: [
        ['fastify-cookies.test.ts', 'a request changes what its own cookie is'],
        ['fastify-cookies.test.ts', 'options that a request has set go on'],
      ],
    },
    {
      cases: /idGenerator|sessionId generator|collisions/,
      by: [['fastify-requests.test.ts', 'makes its ids by the generator']],
    },
    {
      cases: /object to request|get\/set methods|decorate request|decorate the server/,
      by: [['fastify-requests.test.ts', 'a request has its session, its id and its store']],
    },
    {
      cases: /decryptSession with/,
      by: [['fastify.test.ts', 'reads a session for code that has nothing but its cookie']],
    },
    {
      cases: /save the session properly|user data|post without params/,
      by: [
        ['fastify-requests.test.ts', 'keeps what is in it from request to request'],
        ['fastify-requests.test.ts', 'nothing is saved for a client'],
      ],
    },
    {
      cases: /invalid session/,
      by: [['fastify-requests.test.ts', 'an id that is %s gets another session']],
    },
    {
      cases: /does not exist in store|clear(s|ing) cookie|not clear cookie/,
      by: [['fastify-requests.test.ts', 'a session that is gone gets another id']],
    },
    {
      cases: /expired/,
      by: [
        ['fastify-requests.test.ts', 'a session whose cookie has ended is ended'],
        ['fastify-requests.test.ts', 'with the end of a session that has ended'],
      ],
    },
    {
      cases: /no data in session/,
      by: [['fastify-requests.test.ts', 'nothing is saved for a client']],
    },
    {
      cases: /only save session|keep saving|save session if existing/,
      by: [
        ['fastify-requests.test.ts', 'what a request that changes nothing does'],
        ['fastify-requests.test.ts', 'a session without an end is saved where it changed'],
      ],
    },
    {
      cases: /new sessionId|ignoreFields|regenerate destroys/,
      by: [
        ['fastify-requests.test.ts', 'renews the session that a request came with'],
        ['fastify.test.ts', 'keeps the fields that a regeneration is to keep'],
      ],
    },
    { cases: /rejecting promises/, by: [['fastify-requests.test.ts', 'rejects %s']] },
    {
      cases: /supports promises|(reload|save) the (session|reloaded)|destroy the session/,
      by: [
        ['fastify-requests.test.ts', 'a handler reads again, renews and ends'],
        ['fastify.test.ts', 'saves at once where a handler says so'],
      ],
    },
    {
      cases: /error on store|error to done|ENOENT|Errors? (on|with)/,
      by: [
        ['fastify-requests.test.ts', 'with a save is the answer'],
        ['fastify-requests.test.ts', 'with a read is the answer'],
      ],
    },
    // Of its store in memory, which ours stands for.
    { cases: /^MemoryStore/, by: NOT_OURS },
  ],
}

/** Whether a case of a suite is named here. */
export function isHeld(suite: Suite, name: string): boolean {
  return HELD[suite].some(({ cases }) => cases.test(name))
}
