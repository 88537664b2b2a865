/* data: the people, epics and texts of the sample project. */
#include "tracker/sample/data.h"

const char sample_project_description[] = "Tickets, boarding and timetables for small ferry lines";

const char sample_profile[] =
    "# Ferryline\n"
    "\n"
    "Ticketing for ferry lines with one to ten boats. Passengers book on the web or at the quay, "
    "crews scan at the "
    "ramp, the office sees what was sold.\n"
    "\n"
    "## How we work\n"
    "\n"
    "- One-week iterations, starting Monday. Demo on Friday at 14:00, on the *Vega* if the weather "
    "allows.\n"
    "- A feature needs an estimate before it is started, and one **Code** review before it is "
    "delivered.\n"
    "- Bugs that stop boarding go to the top of the backlog, whatever they are.\n"
    "\n"
    "## Where things are\n"
    "\n"
    "| what | where |\n"
    "|---|---|\n"
    "| staging | <https://staging.ferryline.example> |\n"
    "| crew handbook | `docs/crew/` |\n"
    "| payment provider's sandbox | <https://sandbox.pay.example/docs> |\n";

const SamplePerson sample_people[] = {
    {'a', "Ada Lindqvist", "ada", "AL", "ada@ferryline.example", "owner", "2c7fb8",
     "Europe/Stockholm"},
    {'o', "Олена Коваль", "olena", "ОК", "olena@ferryline.example", "member", "d95f0e",
     "Europe/Kyiv"},
    {'m', "田中 美咲", "misaki", "田美", "misaki@ferryline.example", "member", "31a354",
     "Asia/Tokyo"},
    {'y', "يوسف حداد", "youssef", "يح", "youssef@harbour-office.example", "viewer", "756bb1",
     "Africa/Casablanca"},
};
const gsize sample_n_people = G_N_ELEMENTS(sample_people);

const SampleEpic sample_epics[] = {
    {"Booking & checkout", "booking",
     "From \"when is the next boat\" to a ticket, in under a minute and without an account.\n\n"
     "**Done when** a first-time passenger on a phone books a return trip for two adults and a "
     "bicycle in four "
     "screens.",
     727,
     "Measured on the quay last week: median 71 seconds, worst 4 minutes (he wanted to read the "
     "terms)."},
    {"Payments", "payments",
     "Cards, phone wallets, refunds, and the bookkeeping behind them. We never see a card number: "
     "the provider's "
     "page does, see [their integration guide](https://sandbox.pay.example/docs/hosted-page).",
     720, NULL},
    {"Boarding", "boarding",
     "Scan, count, go. The ramp closes two minutes before departure and nobody wants to wait for a "
     "computer.",
     690, "The crew of the *Vega* volunteers for every test. Buy them coffee."},
    {"Timetables", "timetables",
     "Seasons, holidays, cancelled departures, and one truth for web, app and the screens on the "
     "quay.",
     600, NULL},
    {"Works without a network", "offline",
     "Half of our islands have no coverage. Selling and scanning must go on, and nothing may be "
     "counted twice.",
     420,
     "Rule for this epic: *a ticket that was scanned once is never accepted again, even if both "
     "scanners were "
     "offline*. Everything else is negotiable."},
    {"Accessible to everybody", "accessibility",
     "WCAG 2.1 AA for the web, and help that can be booked together with the ticket.", 300, NULL},
    {"Numbers for the office", "reporting",
     "What was sold, what was boarded, what the accountant needs on the first of the month.", 280,
     NULL},
};
const gsize sample_n_epics = G_N_ELEMENTS(sample_epics);

const SamplePerson *
sample_person(char letter)
{
    for (gsize i = 0; i < sample_n_people; i++) {
        if (sample_people[i].letter == letter) {
            return &sample_people[i];
        }
    }
    return NULL;
}
