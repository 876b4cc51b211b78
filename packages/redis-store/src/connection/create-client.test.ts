import { expect, it } from 'vitest'
import { createClient } from './create-client.ts'

const sentinels = [{ host: '127.0.0.1', port: 1 }]

async function settingsOf(own: object): Promise<unknown> {
  const options = { sentinels, name: 'm', ...own }
  const client = await createClient({ kind: 'options', options } as never, 0)
  client.disconnect()
  return client.options
}

it('what is said of TLS holds for the servers behind sentinels as well, unless that is said apart', async () => {
  expect(await settingsOf({ tls: {} })).toMatchObject({ enableTLSForSentinelMode: true })
  expect(await settingsOf({})).toMatchObject({ enableTLSForSentinelMode: false })
  const apart = { tls: {}, enableTLSForSentinelMode: false }
  expect(await settingsOf(apart)).toMatchObject(apart)
})
