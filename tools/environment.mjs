/**
 * npm tells a command's children what it was called with in `npm_config_…`, and an npm or npx among them takes that for
 * its own options: `npx -p node@24 -c 'npm test'` makes the npx that fetches pnpm run `npm test` once more, or fail.
 */

/** What says how the outer command was called; what describes the machine (registry, cache, proxy) stays. */
const OF_THE_CALL = [
  ...['call', 'package', 'workspace', 'workspaces', 'include_workspace_root', 'local_prefix'],
  ...['global', 'location', 'dry_run', 'if_present', 'json', 'parseable', 'omit', 'include'],
].map((name) => `npm_config_${name}`)

/** The environment without what an outer npm or npx was called with; names are compared as npm does, in any case. */
export function withoutOuterCall(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !OF_THE_CALL.includes(name.toLowerCase())),
  )
}
