export function referencePages(): Readonly<Record<string, string>>
export function writeReference(): void
