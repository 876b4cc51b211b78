/** A board of the week: places, ties, those around a member. With `REDIS_URL` it is kept in Redis; without it, in this process. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createLeaderboard, type Place } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'leaderboard-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
const board = createLeaderboard(caches, {
  name: 'weekly',
  per: 'week',
  timeZone: 'Europe/Berlin',
  periods: 4,
})

// What an earlier run left.
for (const { member } of await board.top(100)) await board.remove(member)

await board.submitMany([
  ['ada', 120],
  ['bob', 90],
  ['cy', 120],
  ['dee', 70],
  ['eve', 60],
])
// A lower score changes nothing; a higher one does.
await board.submit('ada', 10)
await board.submit('dee', 95)

const show = (places: readonly Place[]): string =>
  places.map(({ rank, member, score }) => `${rank}. ${member} ${score}`).join(', ')

console.log(`standard: ${show(await board.top(4))}`)
console.log(`dense: ${show(await board.top(4, { kind: 'dense' }))}`)
console.log(`around dee: ${show(await board.around('dee', 1))}`)
console.log(
  `four weeks: ${show(await board.top(1, { merge: 4 }))}, ${await board.count()} in this one`,
)
console.log(`zoe: ${await board.rank('zoe')}`)
