/** The cache of a decorated method, with keys that begin with a scope. The scope is asked for at every call. */

import type { PutFence } from '../cache/put-fence.ts'
import type { LoadContext, Loader, ReadRules } from '../cache/read-call.ts'
import type { MethodCache, MethodEviction } from '../decorators/bound/method-cache.ts'

export class ScopedMethodCache implements MethodCache {
  readonly #inner: MethodCache
  readonly #prefix: () => string

  constructor(inner: MethodCache, prefix: () => string) {
    this.#inner = inner
    this.#prefix = prefix
  }

  get onTtl(): MethodCache['onTtl'] {
    return this.#inner.onTtl
  }

  hit(key: string): Promise<unknown> | undefined {
    return this.#inner.hit(this.#prefix() + key)
  }

  /** An argument means another entry in each scope. */
  hitByArgument(): undefined {
    return undefined
  }

  getOrLoad(key: string, loader: Loader, rules: ReadRules): Promise<unknown> {
    return this.#inner.getOrLoad(this.#prefix() + key, loader, rules)
  }

  getManyOrLoad(
    keys: readonly string[],
    load: (missing: readonly number[], context: LoadContext) => Promise<readonly unknown[]>,
    rules: readonly ReadRules[],
  ): Promise<readonly unknown[]> {
    return this.#inner.getManyOrLoad(this.#all(keys), load, rules)
  }

  peek(key: string): Promise<unknown> {
    return this.#inner.peek(this.#prefix() + key)
  }

  begin(): PutFence | Promise<PutFence> {
    return this.#inner.begin()
  }

  // Async, because there may be no scope: then it rejects.
  async put(
    key: string,
    value: unknown,
    rules: ReadRules,
    begun: PutFence | undefined,
  ): Promise<void> {
    await this.#inner.put(this.#prefix() + key, value, rules, begun)
  }

  unfit(error: unknown): void {
    this.#inner.unfit(error)
  }

  async evict(request: MethodEviction): Promise<void> {
    // Tags and whole caches have no scope.
    const keys = request.keys.length === 0 ? request.keys : this.#all(request.keys)
    await this.#inner.evict({ ...request, keys })
  }

  fullKey(key: string): string {
    return this.#inner.fullKey(this.#prefix() + key)
  }

  #all(keys: readonly string[]): readonly string[] {
    const prefix = this.#prefix()
    return keys.map((key) => prefix + key)
  }
}
