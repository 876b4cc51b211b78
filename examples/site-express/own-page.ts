/** A page that is another one for each user, and is never given to a second one. */

import { Browser } from './browser.ts'

export async function showOwnPage(url: string, say: (line: string) => void): Promise<void> {
  const [stranger, ada, grace] = ['stranger', 'ada', 'grace'].map(
    (who) => new Browser(url, who),
  ) as [Browser, Browser, Browser]
  await ada.send('POST', '/login/ada')
  await grace.send('POST', '/login/grace')
  for (const browser of [stranger, stranger, ada, ada, grace]) {
    const { body, cache } = await browser.send('GET', '/me')
    say(`/me for ${browser.device}: ${JSON.stringify(body)} (${cache})`)
  }
  for (const browser of [ada, grace]) await browser.send('POST', '/logout')
}
