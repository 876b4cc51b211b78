export function withoutOuterCall(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined>
