export function generateScripts(): string
export function writeScripts(): void
