/** `LarderModule`: one cache manager for an application, made and closed with it. */

import { type CacheManager, InvalidOptionError } from '@larder/core'
import { assertBoolean, assertKnownOptions, optionNames } from '@larder/core/store'
import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Module,
  type Provider,
} from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { LarderExceptionFilter } from './exception-filter.ts'
import { ForeignExceptions } from './foreign-exceptions.ts'
import { cacheProviders } from './injection.ts'
import { Lifecycle } from './lifecycle.ts'
import {
  isManager,
  type LarderModuleAsyncOptions,
  type LarderModuleExtras,
  type LarderModuleOptions,
  type LarderOptions,
  MODULE_DEFAULTS,
  managerOf,
} from './module-options.ts'
import { LarderRateLimitGuard } from './rate-limit-guard.ts'
import { RateLimits } from './rate-limits.ts'
import { CACHES } from './tokens.ts'

/**
 * Makes the cache manager of an application, and provides it for injection. Decorated methods of providers and controllers use it,
 * whichever manager is the default one of the process. It is closed in `onApplicationShutdown`, when all others have ended.
 *
 * @example
 * @Module({ imports: [LarderModule.forRoot({ namespace: 'shop', local: lruStore() })] })
 * class AppModule {}
 */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class, and dynamic ones are made by its static methods.
export class LarderModule {
  static {
    Module({})(LarderModule)
  }

  /**
   * Takes the options of `createCacheManager` and those of the module; or a manager, which the module does not close.
   *
   * @throws InvalidOptionError; what the manager does not take is an error when the application is made
   */
  static forRoot(options: LarderModuleOptions | CacheManager): DynamicModule {
    if (isManager(options)) return configurable.forRootAsync({ useFactory: () => options })
    if (typeof options !== 'object' || options === null) {
      const expected = 'the options of createCacheManager, or a manager'
      throw new InvalidOptionError({ option: WHERE, expected, received: options })
    }
    checkExtras(options, WHERE)
    return configurable.forRoot(options)
  }

  /**
   * The same with options that are injected: `useFactory`, `useClass` or `useExisting`, with `imports` and `inject`.
   *
   * @throws InvalidOptionError
   */
  static forRootAsync(options: LarderModuleAsyncOptions): DynamicModule {
    const where = `${WHERE}Async`
    assertKnownOptions(options, ASYNC_NAMES, where)
    checkExtras(options, where)
    const given = [options.useFactory, options.useClass, options.useExisting]
    if (given.filter((one) => one !== undefined).length === 1)
      return configurable.forRootAsync(options)
    const expected = 'one of useFactory, useClass and useExisting'
    throw new InvalidOptionError({ option: where, expected, received: options })
  }
}

const WHERE = 'LarderModule.forRoot'
const ASYNC_NAMES = optionNames<LarderModuleAsyncOptions>({
  useFactory: true,
  useClass: true,
  useExisting: true,
  imports: true,
  inject: true,
  provideInjectionTokensFrom: true,
  isGlobal: true,
  filter: true,
})

const { ConfigurableModuleClass: configurable, MODULE_OPTIONS_TOKEN: OPTIONS } =
  new ConfigurableModuleBuilder<LarderOptions>({ moduleName: 'Larder' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createLarderOptions')
    .setExtras<LarderModuleExtras>({ ...MODULE_DEFAULTS }, completed)
    .build()

/** Adds what the module provides. The caches are looked up when the application is made: by then all classes have named theirs. */
function completed(definition: DynamicModule, extras: LarderModuleExtras): DynamicModule {
  const { isGlobal = MODULE_DEFAULTS.isGlobal, filter = MODULE_DEFAULTS.filter } = extras
  const { providers = [], imports = [] } = definition
  const own: readonly Provider[] = [
    { provide: CACHES, useFactory: managerOf, inject: [OPTIONS] },
    ForeignExceptions,
    RateLimits,
    LarderRateLimitGuard,
    LarderExceptionFilter,
    Lifecycle,
    ...(filter ? [{ provide: APP_FILTER, useExisting: LarderExceptionFilter }] : []),
  ]
  return {
    module: LarderModule,
    global: isGlobal,
    imports,
    get providers() {
      return [...providers, ...own, ...cacheProviders()]
    },
    get exports() {
      const caches = cacheProviders().map((provider) => (provider as { provide: symbol }).provide)
      return [
        CACHES,
        ForeignExceptions,
        RateLimits,
        LarderRateLimitGuard,
        LarderExceptionFilter,
        ...caches,
      ]
    },
  }
}

function checkExtras({ isGlobal, filter }: LarderModuleExtras, where: string): void {
  if (isGlobal !== undefined) assertBoolean(isGlobal, `${where}.isGlobal`)
  if (filter !== undefined) assertBoolean(filter, `${where}.filter`)
}
