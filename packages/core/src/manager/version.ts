/** The version of the package, as its manifest says it; a test holds them together. */
export const VERSION = '0.1.0'
