import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { within } from './within.ts'

it('gives what comes in time', async () => {
  expect(await within(1_000, Promise.resolve(7))).toBe(7)
  await expect(within(1_000, Promise.reject(new Error('no')))).rejects.toThrow('no')
})

it('gives up on what does not, and ignores it when it comes', async () => {
  let refuse: (reason: Error) => void = () => undefined
  const late = new Promise<never>((_, reject) => {
    refuse = reject
  })
  await expect(within(1, late)).rejects.toThrow('No answer within 1 ms')
  refuse(new Error('nobody listens'))
})

it('finds an answer that was there while the process was held up', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const accepted = once(server, 'connection')
  const client = connect(port, '127.0.0.1')
  const [peer] = (await accepted) as [Socket]
  onTestFinished(() => {
    client.destroy()
    peer.destroy()
    server.close()
  })
  await new Promise((resolve) => peer.write('answer', resolve))
  const answer = once(client, 'data')
  const outcome = within(10, answer)
  const until = performance.now() + 50
  while (performance.now() < until);
  expect(String((await outcome)[0])).toBe('answer')
})
