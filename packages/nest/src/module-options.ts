/** The options of the module. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import type { ConfigurableModuleAsyncOptions } from '@nestjs/common'

/** Options of the manager; or a manager that other code has made and closes. */
export type LarderOptions = CacheManagerOptions | CacheManager

/** How the module is part of the application. */
export interface LarderModuleExtras {
  /** Every module may inject what this one provides, without importing it. @default true */
  readonly isGlobal?: boolean | undefined
  /** Answers errors of `@RateLimited` and `@WithLock` that a handler lets through, as a filter of the application. @default true */
  readonly filter?: boolean | undefined
}

/** The defaults of the extras. */
export const MODULE_DEFAULTS = { isGlobal: true, filter: true } as const

/** Options of `LarderModule.forRoot`. */
export type LarderModuleOptions = CacheManagerOptions & LarderModuleExtras

/** For `useClass` and `useExisting`: a class that returns the options. */
export interface LarderOptionsFactory {
  createLarderOptions(): LarderOptions | Promise<LarderOptions>
}

/** Options of `LarderModule.forRootAsync`: `useFactory`, `useClass` or `useExisting`, with `imports` and `inject`. */
export type LarderModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  LarderOptions,
  'createLarderOptions'
> &
  LarderModuleExtras

const made = new WeakSet<object>()

/** Returns the manager, and makes it unless it exists. @throws InvalidOptionError */
export function managerOf(options: LarderOptions): CacheManager {
  if (isManager(options)) return options
  const manager = createCacheManager(options)
  made.add(manager)
  return manager
}

/** Whether the module has made it, and so has to close it. */
export function isOwn(manager: object): boolean {
  return made.has(manager)
}

/** Whether it is a manager and not the options of one. */
export function isManager(options: LarderOptions): options is CacheManager {
  return typeof (options as Partial<CacheManager> | undefined)?.limiter === 'function'
}
