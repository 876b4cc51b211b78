/**
 * No cache has this key: it begins with a colon. In a log or message it says that changes before it were lost, and not repeated
 * because the store held something newer. Who never heard of them may hold a copy from before, and compares.
 */
export const LOSS_MARK = ':'
