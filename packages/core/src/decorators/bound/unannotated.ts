/**
 * What a decorator can say when the types of a callback, or the parentheses, were left out.
 *
 * TypeScript cannot know the method's types where the options are written. The type of a callback without types appears in
 * the compiler's message by its name, so the names here are the message.
 */

/** The type of a callback's first parameter without a type: a method's result may have any type. */
export interface AnnotateTheResult {
  readonly 'annotate the parameters of the callback': never
}

/** The same for an element of a list, in the callbacks of `each`. */
export interface AnnotateTheElement {
  readonly 'annotate the parameters of the callback': never
}

/** The type of `this` in a function of the options that does not declare it: `function (this: Service, id: string) { … }`. */
export interface AnnotateThis {
  readonly 'annotate this as the first parameter of the function': never
}

/**
 * Any type, where a callback's parameter was left without a type; else no type. It stands in a union with the type that the
 * callback asks for: for a type parameter of a class, the condition is deferred, and the union still accepts it.
 */
export type AnyUnlessAnnotated<Type> = [Type] extends [AnnotateTheResult | AnnotateTheElement]
  ? unknown
  : never

/** What the decorators return when they are written without parentheses; no method accepts it. */
export interface WriteParentheses<Name extends string> {
  readonly 'write the decorator with parentheses': Name
}

/** The argument lists of some callbacks, without those that take no arguments: only the others have to fit the method. */
export type ArgsOf<Lists extends readonly unknown[]> = [Lists] extends [readonly []]
  ? []
  : Exclude<Lists, readonly []>
