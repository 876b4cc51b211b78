/**
 * What a decorator can say to somebody who left the types of a callback out, or the parentheses.
 *
 * TypeScript cannot know the method's types where the options are written. What a callback without types gets shows up in
 * the compiler's message by its name, so the names here are the message.
 */

/** What a callback's first parameter is when it has no type: a method's result has whatever type the method says. */
export interface AnnotateTheResult {
  readonly 'annotate the parameters of the callback': never
}

/** The same for an element of a list, in the callbacks of `each`. */
export interface AnnotateTheElement {
  readonly 'annotate the parameters of the callback': never
}

/** What `this` is in a function of the options that does not say: `function (this: Service, id: string) { … }`. */
export interface AnnotateThis {
  readonly 'annotate this as the first parameter of the function': never
}

/**
 * A type that was asked for, or anything where nobody asked.
 *
 * A union and not only a conditional type: of a class's own type parameter, the condition is put off and the union still
 * takes it.
 */
export type Asked<Type> =
  | Type
  | ([Type] extends [AnnotateTheResult | AnnotateTheElement] ? unknown : never)

/** What the decorators return when they are written without parentheses; no method takes it. */
export interface WriteParentheses<Name extends string> {
  readonly 'write the decorator with parentheses': Name
}
