// Registers for tests: of two pairs, each register grown from the one before.

import type { RegisterFiles } from '../../witnesses/register-files.ts'
import type { WriteBase } from '../../shared/ports.ts'
import { firstRegister, nextRegister, type Register } from '../../shared/protocol/register.ts'

export const PAIR = 'a'.repeat(32)
export const OTHER_PAIR = 'b'.repeat(32)
export const NO_PAIR: WriteBase = { pairs: 0 }

let tokens = 0
export const token = () => (++tokens).toString(16).padStart(32, '0')
const alone = () => ({ kind: 'alone', owner: token() }) as const

export const founding = (pair = PAIR) => firstRegister(pair, token(), alone())
export const changeOf = (register: Register) => nextRegister(register, token(), alone())

/** `count` registers, each written behind the one before. */
export async function grown(files: RegisterFiles, count: number, pair = PAIR): Promise<Register> {
  const { pairs } = await files.read(pair)
  let register = founding(pair)
  await files.write({ pairs }, register)
  for (let i = 1; i < count; i++) {
    const next = changeOf(register)
    await files.write(register, next)
    register = next
  }
  return register
}
