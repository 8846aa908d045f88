// The secret of a pair, which peers and verbs must show. One that is there is only read: it may lie on a read-only
// mount or on a full disk. The first daemon makes it, readable by its owner alone.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describeFileError } from '../terminal/file-reasons.ts'

const TOKEN_CHARACTERS_MIN = 8
/** A draft lives for milliseconds: one that is older than this was left by a daemon that was killed. */
const LEFT_DRAFT_MS = 60_000
/** Another process may remove the token, or this draft, at the wrong moment. */
const TRIES = 3

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/** The token of the pair: read, or made with mode 0600. Two daemons that start at once agree on one. */
export function readOrMakeToken(file: string): string {
  for (let tries = 1; ; tries++) {
    try {
      return readOwnToken(file)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      if (tries > TRIES) {
        throw new Error(`the token ${file} is neither there nor can be made: look at its folder`, {
          cause: error,
        })
      }
    }
    try {
      makeToken(file)
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && tries < TRIES) continue
      throw new Error(`the token ${describeFileError(file, error, 'write')}`, { cause: error })
    }
  }
}

/** Throws when there is none, or when it is empty. */
export function readToken(file: string): string {
  const token = readFileSync(file, 'utf8').trim()
  if (token.length < TOKEN_CHARACTERS_MIN)
    throw new Error(`${file} holds no token: remove it, and a daemon makes a new one`)
  return token
}

/** Throws ENOENT as it is where there is no token, and else one line with the way out. */
function readOwnToken(file: string): string {
  let token: string
  let mode: number
  try {
    token = readToken(file)
    mode = statSync(file).mode
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined || code === 'ENOENT') throw error
    throw new Error(`the token ${describeFileError(file, error, 'read')}`, { cause: error })
  }
  if ((mode & 0o077) !== 0) throw new Error(`${file} is readable by others: chmod 600 ${file}`)
  removeLeftDrafts(file)
  return token
}

const draftPrefix = (file: string) => `${basename(file)}.draft-`

function makeToken(file: string): void {
  const folder = dirname(file)
  mkdirSync(folder, { recursive: true })
  const draft = join(folder, `${draftPrefix(file)}${randomBytes(8).toString('hex')}`)
  try {
    const handle = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(handle, `${randomBytes(24).toString('hex')}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    linkSync(draft, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Their content is a token that nobody uses. A folder that cannot be changed keeps them. */
function removeLeftDrafts(file: string): void {
  const folder = dirname(file)
  const prefix = draftPrefix(file)
  try {
    for (const name of readdirSync(folder)) {
      const draft = join(folder, name)
      const isDraft = name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length))
      if (isDraft && Date.now() - statSync(draft).mtimeMs > LEFT_DRAFT_MS) rmSync(draft)
    }
  } catch {
    // They disturb nobody.
  }
}
