/** The environment variable that carries the shared server's URL from the runner to its workers. */
export const SHARED_REDIS_URL = 'LARDER_TEST_REDIS_URL'

/**
 * The URL of the Redis that all tests of this run share: use a namespace of your own and never flush it.
 *
 * @throws Error when the runner was started without the global set-up
 */
export function sharedRedisUrl(env: NodeJS.ProcessEnv = process.env): string {
  const url = env[SHARED_REDIS_URL]
  if (!url)
    throw new Error(
      'No shared Redis: this test needs test/support/global-setup.ts as globalSetup of vitest',
    )
  return url
}
