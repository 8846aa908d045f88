// Tags as one number: the class in the two bits above 28 bits of tag number, so that a tag is compared, stored
// in a table and switched on like any other integer. Whether an element is constructed is no part of its tag.

export type Tag = number

const CLASS_SHIFT = 28
const NUMBER_MASK = 2 ** CLASS_SHIFT - 1
export const TAG_NUMBER_MAX = NUMBER_MASK

/** What the first identifier octet has in its bits 8 and 7. */
const CLASS_NAMES = ['UNIVERSAL', 'APPLICATION', 'CONTEXT', 'PRIVATE'] as const
const APPLICATION = 1
const CONTEXT = 2

export const BOOLEAN: Tag = 1
export const INTEGER: Tag = 2
export const BIT_STRING: Tag = 3
export const OCTET_STRING: Tag = 4
export const NULL: Tag = 5
export const UTF8_STRING: Tag = 12
export const SEQUENCE: Tag = 16

const UNIVERSAL_NAMES: Readonly<Record<number, string>> = {
  [BOOLEAN]: 'BOOLEAN',
  [INTEGER]: 'INTEGER',
  [BIT_STRING]: 'BIT STRING',
  [OCTET_STRING]: 'OCTET STRING',
  [NULL]: 'NULL',
  [UTF8_STRING]: 'UTF8String',
  [SEQUENCE]: 'SEQUENCE',
}

export function tagOf(tagClass: number, tagNumber: number): Tag {
  return tagClass * 2 ** CLASS_SHIFT + tagNumber
}

export function application(tagNumber: number): Tag {
  return tagOf(APPLICATION, tagNumber)
}

export function context(tagNumber: number): Tag {
  return tagOf(CONTEXT, tagNumber)
}

/** What the module's optional members have. */
export const CONTEXT_0 = context(0)
export const CONTEXT_1 = context(1)

export function classOf(tag: Tag): number {
  return tag >>> CLASS_SHIFT
}

export function numberOf(tag: Tag): number {
  return tag & NUMBER_MASK
}

/** The tag as ASN.1 writes it: `UTF8String`, `[APPLICATION 10438]`. */
export function tagName(tag: Tag): string {
  const number = numberOf(tag)
  if (classOf(tag) === 0) return UNIVERSAL_NAMES[number] ?? `[UNIVERSAL ${number}]`
  if (classOf(tag) === CONTEXT) return `[${number}]`
  return `[${CLASS_NAMES[classOf(tag)]} ${number}]`
}
