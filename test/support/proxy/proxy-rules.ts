import type { ProxyCommand, ProxyMessage } from './proxy-conversation.ts'

/** Which replies are lost, after the server has done the work. */
export interface ReplyLoss {
  /** Default: every command. */
  readonly match?: (command: ProxyCommand) => boolean
  /** What becomes of the connection: it hangs for good, as with a dead peer (default), or is reset. */
  readonly then?: 'hang' | 'reset'
  /** Default: until it is ended. */
  readonly times?: number
}

/** Which commands are answered with an error and never reach the server; not for use inside MULTI. */
export interface CommandFailure {
  /** Default: every command. */
  readonly match?: (command: ProxyCommand) => boolean
  /** The error reply, e.g. `'OOM command not allowed when used memory > maxmemory'`. */
  readonly error: string
  /** Default: until it is ended. */
  readonly times?: number
}

/** Ends the fault that returned it. */
export type EndFault = () => void

/** The faults that look at commands and messages. */
export class ProxyRules {
  readonly #failures = new Set<Counted<CommandFailure>>()
  readonly #losses = new Set<Counted<ReplyLoss>>()
  readonly #drops = new Set<(message: ProxyMessage) => boolean>()

  fail(failure: CommandFailure): EndFault {
    return added(this.#failures, { rule: failure, left: failure.times ?? Number.POSITIVE_INFINITY })
  }

  lose(loss: ReplyLoss): EndFault {
    return added(this.#losses, { rule: loss, left: loss.times ?? Number.POSITIVE_INFINITY })
  }

  drop(matches: (message: ProxyMessage) => boolean): EndFault {
    return added(this.#drops, matches)
  }

  clear(): void {
    this.#failures.clear()
    this.#losses.clear()
    this.#drops.clear()
  }

  refusalOf(command: ProxyCommand): string | undefined {
    return useFirst(this.#failures, command)?.error
  }

  lossOf(command: ProxyCommand): 'hang' | 'reset' | undefined {
    const loss = useFirst(this.#losses, command)
    return loss && (loss.then ?? 'hang')
  }

  dropsMessage(message: ProxyMessage): boolean {
    return [...this.#drops].some((matches) => matches(message))
  }
}

interface Counted<Rule> {
  readonly rule: Rule
  left: number
}

function useFirst<Rule extends CommandFailure | ReplyLoss>(
  rules: Set<Counted<Rule>>,
  command: ProxyCommand,
): Rule | undefined {
  for (const counted of rules) {
    if (counted.left <= 0 || counted.rule.match?.(command) === false) continue
    counted.left -= 1
    return counted.rule
  }
  return undefined
}

function added<Item>(set: Set<Item>, item: Item): EndFault {
  set.add(item)
  return () => void set.delete(item)
}
