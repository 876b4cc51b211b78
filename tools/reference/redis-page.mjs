/** The page of what is kept in Redis: the keys, and the scripts with what their headers say. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const SCRIPTS = 'packages/redis-store/lua'

const HEAD = `# Redis: keys and scripts

What Larder keeps in Redis and what it runs there: for people who look into a server, and for reviews. The names are no interface for programs:
read and write through Larder. \`shop\` is the manager's \`namespace\`. The part about scripts is made from their headers by
\`npm run reference\`.

## Keys

| key | type | what it is | lives |
|---|---|---|---|
| \`{shop:12}:products:42\` | string | an entry: the key \`42\` of the cache \`products\`. A header, then tags and the encoded value; while it is loaded for the first time, the header alone, with the lease of who loads it. \`12\` is its partition, made from the key | its \`ttl\`, \`staleWhileRevalidate\` and \`staleIfError\` together |
| \`{shop:12}\` | sorted set | the head and the log of a partition: its last number, and which keys were changed last | for ever; its size is bounded |
| \`{shop:heads}\` | string | the heads of all partitions, once more: 8 bytes each, which nodes read with one command; and how much messages take of the server. Not in a Cluster | for ever; its size is fixed |
| \`{shop:owed}\` | string | changes that wait to be announced in one message. Not in a Cluster | until they are announced, or a minute |
| \`{shop:tags}\` | sorted set | the tag clock: when which tag was invalidated | for ever; as long as the longest entry, its size is bounded |
| \`{shop:store}\` | string | a random name that tells this store from others | for ever |
| \`{shop:nodes}\` | sorted set | when the heartbeat of each node that reports itself ends | while a node reports, and some seconds longer |
| \`{shop:nodes}:heartbeats\` | hash | what each of these nodes said last: who it is, how it stands, what it has counted | as long |
| \`{shop:lock:order:7}\` | sorted set | a lock: its holders and its fence | until an hour after its lease |
| \`{shop:lock:order:7}:queue\` | sorted set | who waits for it, in order | while somebody waits |
| \`{shop:lock:order:7}:waiters\` | hash | how to wake them | while somebody waits |
| \`{shop:limit:api:ip:1.2.3.4}:default:exact\` | depends on the algorithm | what is counted of a key of the limiter \`api\`: its policy and algorithm are the ending | its window |
| \`{shop:limit:api:ip:1.2.3.4}:block\` | string | until when nothing is admitted | the block |
| \`{shop:session:web:uXk3…}\` | sorted set | the sessions of a user, by when each ends: one that is not in it has ended | the last of them |
| \`{shop:session:web:uXk3…}:tq4k1ab~9f…\` | string | a session: when it ends, and its data; or that it has ended, or where it is kept | its end, and an hour after its id was made |
| \`{shop:board:weekly}:1764547200000:order\` | sorted set | a period of a board, by where it begins: its members in their order. \`:ids\` and \`:scores\` belong to it | the last period that shows it; for ever without periods |
| \`{shop:board:weekly}:clock\` | string | when the last score was taken, and which options the board is kept by | as long |
| \`{shop:counter:hits:day:0:home}\` | hash | the counts of a key, by where each period begins; \`0\` is its shard | as long |
| \`{shop:counter:hits:day:0:home}:id:x9…\` | string | what the call with an id has done | an hour |
| \`{shop:uniques:visitors:day:home}:1764547200000:few\` | set | digests of the visitors of a period while they are few; \`:many\`, a HyperLogLog, from then on | as a board |
| \`{shop:stream:emails}\` | stream | the messages of a stream, with its groups | as \`maxLength\` and \`maxAge\` say |
| \`{shop:stream:emails}:id:x9…\` | string | which entry an id of a message has, by a digest of the id | \`rememberIds\` |
| \`{shop:stream:emails}:due:mailer\` | sorted set | which messages a group tries again, and when | until they are |
| \`{shop:stream:emails}:dead:mailer\` | stream | the dead letters of a group | for ever, as many as \`maxDeadLetters\` |
| \`{shop:stream:emails}:done:mailer:x9…\` | string | that a message was handled, by a digest of its id | \`dedupe\` |
| \`{shop:structure:map.carts:user-7}:items\` | hash | the items of a structure: a version, and the value | its \`ttl\` after the last change |
| \`{shop:structure:map.carts:user-7}:order\` | sorted set | the names of its items, in the order in which they were put | as long |
| \`{shop:events:accounts}\` | string | how many partitions an event store has | never |
| \`{shop:events:accounts:3}:log\` | stream | the order of all events of a partition: the stream and the version of each | never |
| \`{shop:events:accounts:3}:stream:acc-1\` | stream | the events of one stream, by version | never |
| \`{shop:events:accounts:3}:id:x9…\` | string | what an append with an id has done | after its \`idFor\` |
| \`{shop:events:accounts:3}:projection:balances\` | hash | whose turn a projection is, its fence, and how far it has come | never |
| \`{shop:writes:progress}\` | hash | a write-behind queue: its last version, its fence and who holds it | never |
| \`{shop:writes:progress}:items\` | hash | by key, which of its writes wait, and how often they were taken; \`:values\` has what is written, \`:due\` and \`:order\` (sorted sets) when, and in which order | until they are written |
| \`{shop:writes:progress}:letters\` | hash | the dead letters; \`:graves\` (a sorted set) and \`:latest\` belong to it | until they are replayed or discarded, as many as \`maxDeadLetters\` |
| \`{shop:fenced:front-page}\` | string | a value of \`fencedValues\` | as it was set |
| \`{shop:fenced:front-page}:fence\` | string | the last fence that wrote it | longer than the value |

What stands in braces is the hash tag: all keys of one partition, one lock, one limit or one user's sessions are in one slot of a Cluster. There are 64 partitions.

## Channels

| channel | who listens | what is said |
|---|---|---|
| \`shop:bus:0:Jd8s_0aZfQ2c\` | all nodes | which keys and tags were changed, with their numbers; which loads have ended. \`0\` is the database, then the store's name |
| \`shop:lock:\` and a random text | one process | its turn for a lock may have come |
| \`shop:limits:0\` | all nodes | permits were given back, or a key was unblocked |
| \`shop:topic:0:orders.paid\` | processes that subscribed to the topic | a message; with \`sharded\`, in a Cluster, by SPUBLISH |

## Scripts

Each is one atomic step. Its file in \`${SCRIPTS}\` has the number of its keys in its name; \`n\` is any number. All keys a script touches are among
its \`KEYS\`, and it has no other effect than on those and by \`PUBLISH\`.
`

/** @param root the repository */
export function redisPage(root) {
  const folder = join(root, SCRIPTS)
  const files = readdirSync(folder).filter((file) => file.endsWith('.lua'))
  const sections = files
    .sort()
    .map((file) => section(file, readFileSync(join(folder, file), 'utf8')))
  return `${[HEAD.trimEnd(), ...sections].join('\n\n')}\n`
}

function section(file, lua) {
  const [first = '', ...lines] = lua.slice('--[['.length, lua.indexOf(']]')).split('\n')
  const items = []
  for (const line of lines) {
    const item = /^ {2}(KEYS\[[\d.]+\]|ARGV\[[\d.]+\]|Returns) +(.*)$/.exec(line)
    if (item !== null) items.push([item[1], item[2]])
    else if (items.length > 0) items.at(-1)[1] += ` ${line.trim()}`
    else if (line.trim() !== '') items.push(['', line.trim()])
  }
  const said = items.map(([name, text]) => {
    if (name === '') return text.trim()
    return `- ${name === 'Returns' ? name : `\`${name}\``}: ${text.trim()}`
  })
  const isProse = items.filter(([name]) => name === '').length
  const prose = [first.trim(), ...said.slice(0, isProse)].join(' ')
  return [`### \`${file.replace(/\.lua$/, '')}\``, prose, said.slice(isProse).join('\n')].join(
    '\n\n',
  )
}
