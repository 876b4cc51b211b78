import type { Ablation, Edit } from './ablations.mjs'

export function editsOf(ablation: Ablation): readonly Edit[]
export function applyEdit(name: string, edit: Edit, text: string): string
