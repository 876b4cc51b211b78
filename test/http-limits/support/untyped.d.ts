/** Packages that are used as they are called here, and bring no declarations. */

declare module 'connect' {
  const connect: () => unknown
  export = connect
}

declare module 'express4' {
  const express: () => unknown
  export = express
}
