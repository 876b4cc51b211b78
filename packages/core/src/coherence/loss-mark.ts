/**
 * A key that belongs to no cache, because it begins with a colon. In a log or message it says that earlier changes were lost, and
 * were not repeated because the store held something newer. A node that never heard of them may hold an older copy, so it compares.
 */
export const LOSS_MARK = ':'
