"""Names of many origins: accents, apostrophes of both kinds, an ʻokina, letters without a decomposition, particles and
double names. It is what real rosters hold, and what careless software spoils.
"""


def _listed(*lines: str) -> tuple[str, ...]:
    return tuple(name for line in lines for name in line.split(", "))


GIRLS = _listed(
    "Amélie, Anaïs, Aaliyah, Abigail, Amara, Ana, Ángela, Ayşe, Beatriz, Camila, Chloë, Chiara, D'Asia",
    "Daniela, Elena, Élodie, Emma, Esther, Fatima, Freya, Grace, Hannah, Ingrid, Isabella, Jasmine, Joy",
    "Kailani, Keʻala, Layla, Leilani, Linh, Lucía, Mai, Maya, Mei, Mia, Miriam, Nia, Noémie, Ñusta, Olivia",
    "Oluchi, Paloma, Priya, Renée, Rosa, Ruth, Saoirse, Shanice, Siân, Sofía, Sóley, Talia, Thảo, Valentina",
    "Xóchitl, Yara, Zoë, Zuzana, Mary-Kate, Ana María",
)
BOYS = _listed(
    "Aarav, Adrián, Ahmed, André, Anthony, Benjamín, Björn, Caleb, Carlos, Ciarán, D'Angelo, Dakota, Daniel",
    "De'Andre, Diego, Dwayne, Elijah, Emil, Ethan, Félix, François, Gabriel, Hiro, Håkon, Ibrahim, Isaac",
    "Ja'Marcus, Jesús, João, José, Joshua, Kai, Kenji, Kofi, Leo, Liam, Łukasz, Malik, Mateo, Micah, Minh",
    "Noah, Noël, O'Shea, Omar, Oskar, Pedro, Quinn, Rafael, Ravi, René, Samuel, Sergio, Søren, Théo, Tomás",
    "Víctor, Wei, Xavier, Zachary, Juan Pablo",
)
SURNAMES = _listed(
    "Adeyemi, Al-Masri, Andersen, Ångström, Baker, Begay, Brown, Castañeda, Chen, Cohen, Côté, Cruz, D'Amico",
    "Dąbrowski, Davis, De la Cruz, Delgado, Diaz, Dvořák, Escobar, Evans, Fernández, Flores, Foster, Fröhlich",
    "García, García Márquez, Gonzalez, Green, Gutiérrez, Hall, Hernández, Hill, Ibáñez, Jackson, Jensen",
    "Johnson, Kaʻahumanu, Khan, Kim, Kowalczyk, Kumar, Larsen, Le, Lee, Lewis, Lindström, López, Mac an tSaoi",
    "Martin, Martínez, McDonald, Mensah, Miller, Mitchell, Moreau, Muñoz, Müller, N'Diaye, Nakamura, Nguyễn",
    "Novák, Núñez, O'Brien, O’Connor, Okafor, Olsen, Ortiz, Patel, Peña, Pérez, Petrović, Phạm, Quispe",
    "Ramírez, Reyes, Rivera, Robinson, Rodríguez, Sánchez, Sato, Şahin, Schäfer, Silva, Singh, Smith",
    "Smith-Jones, St. Clair, Sørensen, Tanaka, Taylor, Thomas, Torres, Trần, Turner, van der Berg, Vang, Vega",
    "Walker, White, Williams, Wilson, Wong, Xiong, Yang, Yılmaz, Young, Zhang, Zúñiga",
)
