/** The limits' part of the duel by itself. */
import { duelOfLimits } from './main.ts'

const broken = await duelOfLimits(process.argv.includes('--quick'))
process.exitCode = broken.length === 0 ? 0 : 1
