// An address that cannot be listened at is one line: option, address, reason, code, way out.

import { expect, test } from 'vitest'
import { LISTEN_ERRORS, listenError } from '../../daemon/listen-error.ts'

test.each(Object.keys(LISTEN_ERRORS))(
  '%s names the address, the reason and the way out',
  (code) => {
    const error = Object.assign(new Error(`listen ${code}`), { code })
    const { message } = listenError('--data', '[::1]:7382', error)
    expect(message).toMatch(/^--data \[::1\]:7382: .+: .+$/)
    expect(message).toContain(`(${code})`)
    expect(message).not.toContain('OPTION')
    expect(message).not.toContain('\n')
  },
)

test('an unknown reason is told as the system says it', () => {
  const error = Object.assign(new Error('listen EODD'), { code: 'EODD' })
  expect(listenError('--data', '127.0.0.1:1', error).message).toBe(
    '--data 127.0.0.1:1: listen EODD',
  )
})
