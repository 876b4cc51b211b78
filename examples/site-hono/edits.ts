/** A page that is rendered once for each language, until an edit evicts it by its tag. */

export async function showEdits(url: string, say: (line: string) => void): Promise<void> {
  const show = async (language: string): Promise<void> => {
    const response = await fetch(`${url}/page`, { headers: { 'Accept-Language': language } })
    const status = response.headers.get('Cache-Status')?.replace(/; ttl=\d+/, '')
    say(`${language}: ${await response.text()} (${status})`)
  }
  for (const language of ['en', 'de', 'en', 'de']) await show(language)
  await fetch(`${url}/texts/de`, { method: 'PUT', body: 'Quittenkonfitüre' })
  say('edited')
  for (const language of ['de', 'de', 'en']) await show(language)
}
