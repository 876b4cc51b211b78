/** A user with three devices, who logs out on one of them: elsewhere, and then everywhere. */

import { Browser } from './browser.ts'

export async function showDevices(url: string, say: (...words: unknown[]) => void): Promise<void> {
  const devices = ['laptop', 'phone', 'library'].map((device) => new Browser(url, device))
  const [laptop, phone, library] = devices as [Browser, Browser, Browser]
  const send = async (browser: Browser, method: 'GET' | 'POST', path: string) => {
    const { status, body } = await browser.send(method, path)
    say(browser.device.padEnd(8), method, path.padEnd(18), status, JSON.stringify(body))
  }
  await send(laptop, 'GET', '/devices')
  for (const device of devices) await send(device, 'POST', '/login/ada')
  await send(laptop, 'GET', '/devices')
  await send(library, 'POST', '/logout')
  await send(library, 'GET', '/devices')
  await send(laptop, 'POST', '/logout-elsewhere')
  await send(phone, 'GET', '/devices')
  await send(phone, 'POST', '/login/ada')
  await send(phone, 'POST', '/logout-everywhere')
  await send(laptop, 'GET', '/devices')
}
