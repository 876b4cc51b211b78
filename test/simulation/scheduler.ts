/**
 * Everything that is about to happen, and the choice of what happens next.
 *
 * Work waits in lines. A line is one ordered channel: the requests of one connection, its replies, its messages, the due
 * timers of one process, one query at the source. Within a line the order is kept (unless a fault says otherwise), between
 * lines anything goes, and only the seed decides. A task may have an earliest moment, and has a latest one: time does not
 * pass beyond it while the task could run, which is what makes delays bounded where a plan wants them to be.
 */

import type { Random } from '../support/seed.ts'

/** Where a task waits. */
export interface LineName {
  /** `requests`, `replies`, `messages`, `timers`, or something unique for work with an order of its own. */
  readonly channel: string
  /** The node it belongs to; `undefined` for none. */
  readonly node?: number | undefined
  /** True when the node's process has to run for the task to happen. */
  readonly needsProcess: boolean
}

export interface Task {
  readonly notBefore: number
  readonly dueBy: number
  run(): void
  /** A task called off is skipped. */
  isCancelled: boolean
}

interface Line {
  readonly name: LineName
  tasks: Task[]
  isFrozen: boolean
  isShuffled: boolean
}

export type TaskSpec = Pick<Task, 'run'> & Partial<Pick<Task, 'notBefore' | 'dueBy'>>

export class Scheduler {
  readonly #random: Random
  readonly #now: () => number
  readonly #lines = new Map<string, Line>()
  readonly #paused = new Set<number>()
  readonly #dead = new Set<number>()
  #ghosts = 0

  constructor(random: Random, now: () => number) {
    this.#random = random
    this.#now = now
  }

  /** Adds a task to the end of a line; ignored when its node is dead and would have to run it. */
  add(name: LineName, spec: TaskSpec): Task {
    const task: Task = {
      notBefore: spec.notBefore ?? Number.NEGATIVE_INFINITY,
      dueBy: spec.dueBy ?? Number.POSITIVE_INFINITY,
      run: spec.run,
      isCancelled: false,
    }
    const isLost = name.needsProcess && name.node !== undefined && this.#dead.has(name.node)
    if (!isLost) this.#line(name).tasks.push(task)
    return task
  }

  /** Adds a task behind those of a line that are overdue, which have arrived; or to the end of `otherwise` for none. */
  addAfterArrived(name: LineName, otherwise: LineName, run: () => void): void {
    const { tasks, isFrozen } = this.#line(name)
    const now = this.#now()
    const arrived = isFrozen ? 0 : tasks.filter(({ dueBy }) => dueBy <= now).length
    if (arrived === 0) {
      this.add(otherwise, { run, dueBy: now })
      return
    }
    const task = { notBefore: Number.NEGATIVE_INFINITY, dueBy: now, run, isCancelled: false }
    tasks.splice(arrived, 0, task)
  }

  /** Takes one task that can run now, of a line that the seed picks; `undefined` when there is none. */
  take(): Task | undefined {
    const ready = this.#ready()
    if (ready.length === 0) return undefined
    const line = ready[this.#random.int(ready.length)] as Line
    const index = line.isShuffled ? this.#random.int(line.tasks.length) : 0
    const [task] = line.tasks.splice(index, 1)
    return task
  }

  /** True when something can run now. */
  get isBusy(): boolean {
    return this.#ready().length > 0
  }

  /** True when nothing waits in any line, now or later. */
  get isEmpty(): boolean {
    return [...this.#lines.values()].every(({ tasks }) => tasks.every((task) => task.isCancelled))
  }

  /** How far time may go before something that can run has to have run; never before now. */
  get latest(): number {
    let latest = Number.POSITIVE_INFINITY
    for (const { tasks } of this.#ready()) latest = Math.min(latest, tasks[0]?.dueBy ?? latest)
    return Math.max(latest, this.#now())
  }

  /** When the next task that must wait may run; `Infinity` for none. */
  get nextStart(): number {
    let next = Number.POSITIVE_INFINITY
    for (const line of this.#lines.values()) {
      const start = this.#isOpen(line) ? line.tasks[0]?.notBefore : undefined
      if (start !== undefined && start > this.#now()) next = Math.min(next, start)
    }
    return next
  }

  /** Stops a node's process; what reaches it waits. */
  pause(node: number): void {
    this.#paused.add(node)
  }

  resume(node: number): void {
    this.#paused.delete(node)
  }

  isPaused(node: number): boolean {
    return this.#paused.has(node)
  }

  /** Ends a node: nothing of its process happens any more. What it sent is the network's. */
  kill(node: number): void {
    this.#dead.add(node)
    for (const [id, { name }] of this.#lines) {
      if (name.node === node && name.needsProcess) this.#lines.delete(id)
    }
  }

  /** Holds a line back: its tasks wait, in their order. */
  freeze(name: LineName): void {
    this.#line(name).isFrozen = true
  }

  thaw(name: LineName): void {
    this.#line(name).isFrozen = false
  }

  /** Lets a line's tasks overtake each other, or not any more. */
  shuffle(name: LineName, isShuffled: boolean): void {
    this.#line(name).isShuffled = isShuffled
  }

  /**
   * Moves what waits in a line to one of its own, which races with the line: an old connection and the next one. It may
   * hold still for `lateMs` first, as what has to be sent again does.
   */
  detach(name: LineName, lateMs: number): void {
    const line = this.#line(name)
    if (line.tasks.length === 0) return
    this.#ghosts += 1
    const channel = `${name.channel}, old connection ${this.#ghosts}`
    const notBefore = this.#now() + lateMs
    this.#line({ ...name, channel }).tasks = line.tasks.map((task) => ({
      ...task,
      notBefore,
      dueBy: Math.max(task.dueBy, notBefore),
    }))
    line.tasks = []
  }

  #line(name: LineName): Line {
    const id = `${name.node ?? '-'} ${name.channel}`
    const known = this.#lines.get(id)
    if (known !== undefined) return known
    const line: Line = { name, tasks: [], isFrozen: false, isShuffled: false }
    this.#lines.set(id, line)
    return line
  }

  #ready(): Line[] {
    const ready: Line[] = []
    const now = this.#now()
    for (const [id, line] of this.#lines) {
      while (line.tasks[0]?.isCancelled === true) line.tasks.shift()
      const first = line.tasks[0]
      if (first === undefined) {
        // Most lines carry one thing and are done; those with a state are few and stay.
        if (!line.isFrozen && !line.isShuffled) this.#lines.delete(id)
      } else if (first.notBefore <= now && this.#isOpen(line)) ready.push(line)
    }
    return ready
  }

  #isOpen({ name, isFrozen }: Line): boolean {
    if (isFrozen) return false
    return !(name.needsProcess && name.node !== undefined && this.#paused.has(name.node))
  }
}
