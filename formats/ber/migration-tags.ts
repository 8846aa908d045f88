// The tags of docs/specs/migration.schema, in one table: a test walks it beside the module's text. The module's
// rule, from the RFC of 2014: an application tag's number is two ASCII letters in base 128, so that whoever looks
// at a dump sees `7f`, the first letter with its top bit set, and the second letter.

import { application, classOf, numberOf, tagName, type Tag } from './ber-tag.ts'

/** The two letters of every application tag, by the module's name of the type or alternative. */
export const TAG_LETTERS = {
  QemuFile: 'QF',
  Configuration: 'CF',
  SecFull: 'SF',
  SecStart: 'SS',
  SecPart: 'SP',
  SecEnd: 'SE',
  Command: 'CM',
  eof: 'EF',
  RAMSecList: 'RL',
  RAMBlockList: 'BL',
  FullPage: 'FP',
  FillPage: 'FI',
  XBZRLEPage: 'XB',
  ZlibPage: 'ZL',
  ZeroRun: 'ZR',
  hook: 'HO',
  multifdFlush: 'MF',
  VMState: 'VS',
  u64: 'U6',
  SubSecList: 'SL',
  SubSection: 'SB',
  VMDescription: 'VD',
  ColoMessage: 'CO',
  CheckpointPages: 'CP',
  CheckpointState: 'CS',
} as const

export type TagName = keyof typeof TAG_LETTERS

function tagOfLetters(letters: string): Tag {
  return application(letters.charCodeAt(0) * 128 + letters.charCodeAt(1))
}

function tagsOf(letters: typeof TAG_LETTERS): Readonly<Record<TagName, Tag>> {
  const rows = Object.entries(letters).map(([name, two]) => [name, tagOfLetters(two)] as const)
  return Object.fromEntries(rows) as Record<TagName, Tag>
}

export const TAGS = tagsOf(TAG_LETTERS)

/** RAMPage's alternative for one page of zeros: the one number that the rule did not give. */
export const ZERO_PAGE: Tag = application(0)

const NAMES: ReadonlyMap<Tag, string> = new Map([
  ...Object.entries(TAGS).map(([name, tag]) => [tag, name] as const),
  [ZERO_PAGE, 'zero'],
])

/** The module's name of a tag, with the tag: `SecFull [APPLICATION 10694 "SF"]`. */
export function moduleTagName(tag: Tag): string {
  const name = NAMES.get(tag)
  if (name === undefined || tag === ZERO_PAGE || classOf(tag) === 0) return tagName(tag)
  const number = numberOf(tag)
  const letters = String.fromCharCode(Math.floor(number / 128), number % 128)
  return `${name} [APPLICATION ${number} "${letters}"]`
}
