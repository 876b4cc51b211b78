/** This package is the program `larder`. Its table of commands is exported for those who document or extend it. */

export {
  type ArgumentRow,
  COMMANDS,
  type CommandRow,
  GLOBAL_OPTIONS,
  type OptionRow,
  optionText,
  usageOf,
} from './command-table.ts'
export { type Check, type CheckState, type ExamineOptions, examine } from './doctor/examine.ts'
export { EXIT } from './failure.ts'
