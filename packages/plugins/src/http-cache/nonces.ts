/**
 * Nonces of a Content-Security-Policy. Each response needs one of its own: with one that is known beforehand, what an attacker has put into a
 * page runs, and with one that does not fit the policy, nothing of the page does.
 */

import { type FieldLines, linesOf } from './fields.ts'

const POLICIES = ['content-security-policy', 'content-security-policy-report-only']
const NONCE = /'nonce-([A-Za-z0-9+/_-]+={0,2})'/gi

/** The nonces that the policies among some fields name. */
export function noncesOf(fields: FieldLines): readonly string[] {
  return POLICIES.flatMap((name) => linesOf(fields, name)).flatMap((line) =>
    Array.from(line.matchAll(NONCE), ([, nonce = '']) => nonce),
  )
}

/** Tells whether a page has a nonce of one of these policies in it. */
export function showsNonce(body: Uint8Array, fields: FieldLines): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return noncesOf(fields).some((nonce) => bytes.includes(nonce))
}
