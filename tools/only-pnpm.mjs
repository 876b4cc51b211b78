/**
 * Runs before a package is packed or published, and refuses unless pnpm does it: only pnpm replaces `catalog:` and
 * `workspace:` by versions, and a tarball that still says them cannot be installed.
 */

const packer = process.env['npm_config_user_agent']?.split(' ')[0] ?? 'unknown'
if (!packer.startsWith('pnpm/')) {
  process.stderr.write(
    `This package is packed and published by pnpm, and this is ${packer}. The tarball would say catalog: and workspace:, which nobody can install.\n` +
      'Use pnpm pack or pnpm publish (npx pnpm, at the version that packageManager in the root package.json names).\n',
  )
  process.exit(1)
}
